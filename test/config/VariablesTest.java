package config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which variables of the environment are options, and what is said of others that look so. */
class VariablesTest {
    private static int port(Map<String, String> environment, String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.add("http://backend.test/v1");
        return Options.of(CommandLine.read(all.toArray(String[]::new), environment)).port();
    }

    @Test
    void variablesThatAreNotKnownAreSaidWithoutTheirValues() {
        Map<String, String> environment = new TreeMap<>(Map.of("A2O_UPSTRAEM", "secret", "A2O_AUTH_KYE", "secret",
                "A2O_WHATEVER", "secret", "A2O_PORT", "1", "a2o_x", "y", "PATH", "/bin"));
        assertEquals(List.of("a2o: unknown variable A2O_AUTH_KYE; did you mean A2O_AUTH_KEY?",
                "a2o: unknown variable A2O_UPSTRAEM; did you mean A2O_UPSTREAM?",
                "a2o: unknown variable A2O_WHATEVER"), Variables.unknown(environment));
        for (String name : List.of("A2O_UPSTREAM", "A2O_MAX_CONNECTIONS_PER_HOST", "A2O_DEBUG", "A2O_CA_CERT")) {
            assertEquals(List.of(), Variables.unknown(Map.of(name, "x")));
        }
        for (String name : List.of("A2O_HELP", "A2O_VERSION", "A2O_CHECK", "A2O_")) {
            assertEquals(1, Variables.unknown(Map.of(name, "x")).size(), name);
        }
    }

    /** In each container Kubernetes sets variables for each service, so for one that is called a2o. */
    @Test
    void variablesOfKubernetesAreNoOptions() throws Exception {
        Map<String, String> environment = Map.of("A2O_PORT", "tcp://10.96.0.7:80", "A2O_SERVICE_HOST", "10.96.0.7",
                "A2O_SERVICE_PORT", "80", "A2O_SERVICE_PORT_HTTP", "80", "A2O_PORT_80_TCP", "tcp://10.96.0.7:80",
                "A2O_PORT_80_TCP_PROTO", "tcp", "A2O_PORT_80_TCP_PORT", "80", "A2O_PORT_80_TCP_ADDR", "10.96.0.7");
        assertEquals(List.of(), Variables.unknown(environment));
        assertEquals(3578, port(environment));
        assertEquals(9, port(environment, "--port", "9"));
    }
}

package config;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import json.Text;

/** The options that are given as environment variables, as A2O_PORT for --port. */
public final class Variables {
    private static final String PREFIX = "A2O_";
    /** As Kubernetes names the address of a service: A2O_SERVICE_HOST, A2O_PORT_80_TCP_ADDR. */
    private static final Pattern OF_KUBERNETES =
            Pattern.compile("\\w+_(SERVICE_(HOST|PORT)(_\\w+)?|PORT_\\d+_(TCP|UDP|SCTP)(_\\w+)?)");
    /** As Kubernetes gives it in A2O_PORT: tcp://10.96.0.7:80. */
    private static final Pattern KUBERNETES_ADDRESS = Pattern.compile("(tcp|udp|sctp)://[\\d.:\\[\\]a-f]+");

    private Variables() { }

    /** {@return the values of all options that have a variable which is set and not blank} */
    static Map<Option, List<String>> read(Map<String, String> environment) {
        Map<Option, List<String>> given = new EnumMap<>(Option.class);
        for (Option option : Option.values()) {
            String value = environment.getOrDefault(option.variable(), "");
            boolean isGiven = option.hasVariable() && !value.isBlank()
                    && !isOfKubernetes(option.variable(), environment);
            if (isGiven) given.put(option, option.isRepeatable() ? value.lines().toList() : List.of(value));
        }
        return given;
    }

    /** {@return a line for each variable that begins as A2o's do, but is none; its value is not shown} */
    public static List<String> unknown(Map<String, String> environment) {
        List<String> known = Arrays.stream(Option.values()).filter(Option::hasVariable)
                .map(Option::variable).toList();
        return environment.keySet().stream().sorted()
                .filter(name -> name.startsWith(PREFIX) && !known.contains(name))
                .filter(name -> !isOfKubernetes(name, environment))
                .map(name -> unknown(name, Spelling.nearest(name, known)))
                .toList();
    }

    private static String unknown(String name, Optional<String> nearest) {
        String meant = nearest.map("; did you mean %s?"::formatted).orElse("");
        return "a2o: unknown variable %s%s".formatted(Text.printable(name), meant);
    }

    /** {@return true if Kubernetes has set the variable, for a service that is called a2o} */
    private static boolean isOfKubernetes(String name, Map<String, String> environment) {
        String value = environment.getOrDefault(name, "");
        return OF_KUBERNETES.matcher(name).matches() || KUBERNETES_ADDRESS.matcher(value).matches();
    }
}

package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/** Paths as clients' base URLs make them. */
class RoutesTest {
    @Test
    void eachPathMeansOneOfOurs() {
        String[][] rows = {{"/v1/messages", "/v1/messages"}, {"/messages", "/v1/messages"}, {"//v1/messages", "/v1/messages"},
            {"///v1/messages", "/v1/messages"}, {"/v1//messages", "/v1/messages"}, {"/v1/messages/", "/v1/messages"},
            {"/v1/messages//", "/v1/messages"}, {"/anthropic/v1/messages", "/v1/messages"},
            {"/anthropic/messages", "/v1/messages"}, {"//anthropic/v1/messages", "/v1/messages"},
            {"/v1/v1/messages", "/v1/messages"}, {"/anthropic/v1/v1/messages", "/v1/messages"},
            {"http://127.0.0.1:3578/v1/messages", "/v1/messages"}, {"/v1/messages?beta=true", "/v1/messages"},
            {"//v1/messages?beta=true", "/v1/messages"}, {"/v1/messages/count_tokens/", "/v1/messages/count_tokens"},
            {"/messages/count_tokens", "/v1/messages/count_tokens"}, {"//v1//messages//count_tokens", "/v1/messages/count_tokens"},
            {"/models", "/v1/models"}, {"/models/", "/v1/models"}, {"/anthropic/v1/models", "/v1/models"},
            {"//v1/models/a%2Fb", "/v1/models/a%2Fb"}, {"/models/anthropic/a/b:c", "/v1/models/anthropic/a/b:c"},
            {"/v1/models/v1/x/", "/v1/models/v1/x"}, {"/", "/"}, {"/anthropic", "/"}, {"/anthropic/", "/"}, {"/v1", "/"},
            {"/health/", "/health"}, {"/anthropic/api/hello", "/api/hello"}, {"/v1/api/hello", "/api/hello"},
            {"/anthropics/v1/messages", "/anthropics/v1/messages"}, {"/v1/messages/batches", "/messages/batches"},
            {"/v12/messages", "/v12/messages"}, {"/messagesx", "/messagesx"}};
        for (String[] row : rows) assertEquals(row[1], Routes.path(URI.create(row[0])), row[0]);
    }

    @Test
    void theNameOfAModelIsDecoded() {
        String[][] rows = {{"/v1/models", ""}, {"/v1/models/x", "x"}, {"/v1/models/a%2Fb%3Ac", "a/b:c"},
            {"/v1/models/a/b:c", "a/b:c"}, {"/v1/models/x%5B1m%5D", "x[1m]"}, {"/v1/models/a+b", "a+b"}};
        for (String[] row : rows) assertEquals(row[1], Routes.modelId(row[0]), row[0]);
    }

    @Test
    void allOfThemAreServed() throws Exception {
        String request = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
        try (var backend = new Backend();
             var proxy = Proxies.start("--model", "m", "--context", "5", backend.url().toString())) {
            for (String path : List.of("/messages", "//v1/messages", "/anthropic/v1/messages", "/v1/messages/")) {
                Wire.Reply reply = Wire.ask(proxy.port(), "POST", path, request.getBytes());
                assertEquals("200 Hello there", reply.status() + " " + reply.said(), path);
                assertEquals(405, Wire.ask(proxy.port(), "GET", path, new byte[0]).status(), path);
                Wire.Reply count = Wire.ask(proxy.port(), "POST", path.replaceFirst("/*$", "/count_tokens"), request.getBytes());
                assertTrue(count.text("input_tokens").contains("Num"), path);
            }
            for (String path : List.of("/models/m", "//v1/models/m/", "/anthropic/v1/models/anthropic%2Fm")) {
                assertEquals("anthropic/m", Wire.ask(proxy.port(), "GET", path, new byte[0]).text("id"), path);
            }
            assertEquals(200, Wire.ask(proxy.port(), "HEAD", "/anthropic/api/hello", new byte[0]).status());
            Wire.Reply unknown = Wire.ask(proxy.port(), "POST", "/v1/messages/batches", new byte[0]);
            assertEquals("404 /v1/messages/batches is not available on this proxy",
                    unknown.status() + " " + unknown.text("error.message"));
        }
    }
}

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Executors;

/**
 * The floor: {@code java test/bench/Floor.java PORT URL}, a proxy on the JDK's own server and client, as A2o is, which
 * passes bytes on and looks at none. What a proxy costs more than this is the cost of translating.
 */
final class Floor {
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] args) throws IOException {
        ProcessHandle.current().parent().ifPresent(parent -> parent.onExit().thenRun(() -> System.exit(0)));
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
        HttpServer server = HttpServer.create(address, 1024);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", http -> pass(http, URI.create(args[1])));
        server.start();
    }

    private static void pass(HttpExchange http, URI backend) throws IOException {
        try (http) {
            byte[] body = http.getRequestBody().readAllBytes();
            var request = HttpRequest.newBuilder(backend).header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
            var reply = CLIENT.send(request, HttpResponse.BodyHandlers.ofInputStream());
            http.getResponseHeaders().set("content-type", reply.headers().firstValue("content-type").orElse("text/plain"));
            http.sendResponseHeaders(reply.statusCode(), reply.headers().firstValueAsLong("content-length").orElse(0)); // 0: chunks
            try (InputStream in = reply.body(); OutputStream out = http.getResponseBody()) {
                byte[] buffer = new byte[16384];
                for (int n; (n = in.read(buffer)) > 0; ) {
                    out.write(buffer, 0, n);
                    if (in.available() == 0) out.flush(); // no more has come: the client shall have it now
                }
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}

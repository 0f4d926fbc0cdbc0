package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import config.UsageError;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import serve.Proxy;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** The way out to the backend: through an HTTP proxy, and over TLS with certificates that the JDK does not know. */
class OutwardTest {
    private static final char[] PASSWORD = "password".toCharArray();
    private static final String KEY = "sk-client-0123456789abcdef";
    private static final Path KEYTOOL = Path.of(System.getProperty("java.home"), "bin", "keytool");
    /** A host that surely is not found, and without asking the network: no label may be that long. */
    private static final String NOWHERE = "x".repeat(64) + ".example.test";

    private static final String WANTS_PASSWORD = "the HTTP proxy PROXY does not let it through: status 407; A2o sends it "
            + "no password: let it allow this machine, or name the backend's host in NO_PROXY";

    @TempDir
    private static Path folder;

    private static Identity local; // for 127.0.0.1 and localhost; null where there is no keytool
    private static Identity other; // for another host

    /** A server's key with its certificate, signed by itself. */
    private record Identity(KeyStore store, String pem) {
        private static Identity of(String name, String hosts) throws Exception {
            Path file = folder.resolve(name + ".p12");
            Process process = new ProcessBuilder(KEYTOOL.toString(), "-J-XX:TieredStopAtLevel=1", "-genkeypair",
                    "-alias", "a2o", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", "-dname",
                    "CN=a2o test", "-ext", "SAN=" + hosts, "-storetype", "PKCS12", "-keystore", file.toString(),
                    "-storepass", new String(PASSWORD)).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), said);
            KeyStore store = KeyStore.getInstance(file.toFile(), PASSWORD);
            byte[] der = store.getCertificate("a2o").getEncoded();
            String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
            String pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n".formatted(lines);
            return new Identity(store, pem);
        }

        private Certificate certificate() throws Exception {
            return store.getCertificate("a2o");
        }

        private ServerSocket listen() throws Exception {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        }
    }

    @BeforeAll
    static void makeKeys() throws Exception {
        if (!Files.isExecutable(KEYTOOL)) return;
        FutureTask<Identity> task = Tasks.ask(() -> Identity.of("local", "ip:127.0.0.1,dns:localhost"));
        other = Identity.of("other", "dns:other.test");
        local = Tasks.outcome(task);
    }

    /**
     * A port that leads to another: as an HTTP proxy, which takes the request's head first and lets no name that is
     * asked for lead elsewhere, or bare. What comes in is kept.
     */
    private static final class Relay implements AutoCloseable {
        private final ServerSocket server;
        private final int target;
        private final boolean isProxy;
        private final List<String> heads = new CopyOnWriteArrayList<>();
        private final ByteArrayOutputStream relayed = new ByteArrayOutputStream(); // after the heads
        private final Set<Socket> open = ConcurrentHashMap.newKeySet();

        private Relay(ServerSocket server, int target, boolean isProxy) {
            this.server = server;
            this.target = target;
            this.isProxy = isProxy;
            Thread.ofVirtual().start(this::accept);
        }

        /** {@return an HTTP proxy} */
        private static Relay proxy(int target) throws IOException {
            return new Relay(new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1")), target, true);
        }

        /** {@return the TLS in front of a backend that has none} */
        private static Relay tls(Identity identity, Backend backend) throws Exception {
            assumeTrue(identity != null, "no keytool here");
            return new Relay(identity.listen(), backend.url().getPort(), false);
        }

        private int port() {
            return server.getLocalPort();
        }

        private String url() {
            return "http://127.0.0.1:" + port();
        }

        private void accept() {
            try {
                while (true) {
                    Socket client = server.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                }
            } catch (IOException closed) {
                // the end of the test
            }
        }

        private void serve(Socket client) {
            try (client; var backend = new Socket("127.0.0.1", target)) {
                open.addAll(List.of(client, backend));
                client.setTcpNoDelay(true);
                backend.setTcpNoDelay(true);
                String head = isProxy ? head(client.getInputStream()) : "";
                if (isProxy) heads.add(head);
                if (head.startsWith("CONNECT ")) {
                    client.getOutputStream().write("HTTP/1.1 200 Connected\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                } else {
                    backend.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
                }
                Thread back = Thread.ofVirtual().start(() -> copy(backend, client));
                copy(client, backend);
                back.join();
            } catch (IOException | InterruptedException e) {
                // one of them has left, or does not like the other's TLS: the test sees what comes of it
            }
        }

        private static String head(InputStream in) throws IOException {
            var head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                int b = in.read();
                if (b < 0) throw new EOFException();
                head.write(b);
            }
            return head.toString(StandardCharsets.ISO_8859_1);
        }

        /** Copies to the end, which is one for both. */
        private void copy(Socket from, Socket to) {
            byte[] buffer = new byte[8192];
            try (from; to) {
                for (int n = from.getInputStream().read(buffer); n >= 0; n = from.getInputStream().read(buffer)) {
                    relayed.write(buffer, 0, n);
                    to.getOutputStream().write(buffer, 0, n);
                }
            } catch (IOException closed) {
                // by the other direction, or the end of the test
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
            for (Socket socket : open) socket.close();
        }
    }

    private static Wire.Reply ask(boolean stream, Map<String, String> environment, String... args) throws IOException {
        try (Proxy proxy = Proxies.start(environment, args)) {
            return Wire.post(proxy.port(), """
                    {"model":"m","max_tokens":9,"stream":%s,"messages":[{"role":"user","content":"the prompt"}]}"""
                    .formatted(stream), "x-api-key: " + KEY);
        }
    }

    /** {@return what becomes of a request, with those arguments after the backend's URL} */
    private static Wire.Reply ask(String upstream, Map<String, String> environment, String... args)
            throws IOException {
        return ask(false, environment, Stream.concat(Stream.of("--upstream", upstream), Stream.of(args))
                .toArray(String[]::new));
    }

    private static void assertGood(Wire.Reply reply, String what) {
        assertEquals(200, reply.status(), () -> what + ": " + reply.body());
        assertEquals("Hello there", reply.said(), what);
    }

    /** {@return the message of the error} */
    private static String assertFails(Wire.Reply reply, String what) {
        assertEquals(502, reply.status(), () -> what + ": " + reply.body());
        assertEquals("error api_error", reply.text("type") + " " + reply.text("error.type"), what);
        assertFalse(reply.body().contains(KEY), what);
        return reply.text("error.message");
    }

    private static void assertTlsFails(Wire.Reply reply, String what) {
        String message = assertFails(reply, what);
        assertTrue(message.contains("TLS"), () -> what + ": " + message);
    }

    // HTTP proxies

    @Test
    void anHttpProxyIsAskedInAbsoluteForm() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            for (String name : List.of("HTTP_PROXY", "http_proxy")) {
                for (String end : List.of("", "/")) {
                    relay.heads.clear();
                    assertGood(ask(backend.url().toString(), Map.of(name, relay.url() + end)), name + end);
                    assertEquals(1, relay.heads.size(), name + end);
                    assertTrue(relay.heads.getFirst().startsWith("POST %s HTTP/1.1\r\n".formatted(backend.url())));
                }
            }
        }
    }

    @Test
    void aStreamComesThroughAnHttpProxyAsItIs() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            Wire.Reply reply = ask(true, Map.of("HTTP_PROXY", relay.url()), "--upstream", backend.url().toString());
            assertGood(reply, "a stream");
            assertEquals("message_stop", reply.last().name());
            assertEquals(1, relay.heads.size());
        }
    }

    @Test
    void aHostThatOnlyTheHttpProxyKnowsIsReached() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            assertGood(ask("http://%s/v1".formatted(NOWHERE), Map.of("HTTP_PROXY", relay.url())), "no such host here");
            assertTrue(relay.heads.getFirst().startsWith("POST http://%s/v1/chat/completions ".formatted(NOWHERE)));
            assertEquals(NOWHERE, backend.take().headers().get("host"));
        }
    }

    @Test
    void anHttpsBackendIsReachedThroughATunnel() throws Exception {
        try (var backend = new Backend();
                Relay tls = Relay.tls(local, backend); Relay relay = Relay.proxy(tls.port())) {
            for (String name : List.of("HTTPS_PROXY", "https_proxy")) {
                for (String host : List.of("127.0.0.1:" + tls.port(), "localhost:" + tls.port())) {
                    relay.heads.clear();
                    relay.relayed.reset();
                    String what = name + " to " + host;
                    assertGood(ask("https://" + host, Map.of(name, relay.url()), "--ca-cert", pem(local.pem)), what);
                    assertEquals(1, relay.heads.size(), what);
                    assertTrue(relay.heads.getFirst().startsWith("CONNECT %s HTTP/1.1\r\n".formatted(host)), what);
                    String seen = relay.heads + relay.relayed.toString(StandardCharsets.ISO_8859_1);
                    assertFalse(seen.contains(KEY) || seen.contains("the prompt") || seen.contains("Hello"), seen);
                }
            }
            assertEquals("POST /v1/chat/completions HTTP/1.1", backend.take().line(), "as without proxy");
        }
    }

    @Test
    void aTunnelDoesNotMakeACertificateTrusted() throws Exception {
        try (var backend = new Backend();
                Relay tls = Relay.tls(local, backend); Relay relay = Relay.proxy(tls.port())) {
            assertTlsFails(ask("https://localhost:" + tls.port(), Map.of("HTTPS_PROXY", relay.url())), "no --ca-cert");
            assertEquals(1, relay.heads.size());
            assertEquals(0, backend.requests());
        }
    }

    /** Also a proxy that wants a password, and one that speaks no HTTP; the request does not wait, and no socket stays. */
    @Test
    void aTunnelThatIsRefusedIsSaid() throws Exception {
        Map<String, String> answers = Map.of("HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm=\"x\"\r\n"
                + "content-length: 2\r\n\r\nno", WANTS_PASSWORD,
                "HTTP/1.1 407 No\r\n\r\n", WANTS_PASSWORD,
                "HTTP/1.1 502 No\r\ncontent-length: 2\r\n\r\nno",
                "the HTTP proxy PROXY does not let it through: status 502",
                "220 ready\r\n", "what answers there does not speak HTTP",
                "HTTP/1.1 102 Wait\r\n\r\n".repeat(20), "the reply is not HTTP");
        for (Map.Entry<String, String> answer : answers.entrySet()) {
            var left = new LinkedBlockingQueue<Boolean>();
            try (var relay = new Backend().answers(call -> {
                call.raw(answer.getKey());
                left.add(call.isLeft(Tasks.WAIT_SECONDS * 1000));
            })) {
                String way = "http://" + relay.url().getAuthority();
                String message = assertFails(ask("https://backend.test", Map.of("HTTPS_PROXY", way)), answer.getKey());
                String why = answer.getValue().replace(" PROXY ", " " + relay.url().getAuthority() + " ");
                assertEquals("backend.test: " + why, message);
                for (int i = relay.requests(); i > 0; i--) {
                    assertTrue(left.poll(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), answer.getKey());
                }
            }
        }
    }

    /** A plain request has one reply, be it the proxy's or the backend's; 407 is a proxy's alone. */
    @Test
    void aPlainRequestThatTheProxyRefusesIsSaid() throws Exception {
        try (var relay = new Backend()) {
            relay.answers(call -> call.reply(407, "text/html", "<h1>Cache Access Denied</h1>"));
            String way = "http://" + relay.url().getAuthority();
            String message = assertFails(ask("http://backend.test", Map.of("HTTP_PROXY", way)), "407");
            String why = WANTS_PASSWORD.replace(" PROXY ", " " + relay.url().getAuthority() + " ");
            assertEquals("backend.test: " + why, message);
            Wire.Reply direct = ask(relay.url().toString(), Map.of());
            assertFalse(direct.body().contains("HTTP proxy"), direct.body());
        }
    }

    @Test
    void eachVariableIsForItsOwnScheme() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            for (String name : List.of("HTTPS_PROXY", "https_proxy")) {
                assertGood(ask(backend.url().toString(), Map.of(name, relay.url())), name);
            }
            try (Relay tls = Relay.tls(local, backend)) {
                for (String name : List.of("HTTP_PROXY", "http_proxy")) {
                    for (String url : List.of("https://localhost:" + tls.port(), "HTTPS://localhost:" + tls.port())) {
                        assertGood(ask(url, Map.of(name, relay.url()), "--ca-cert", pem(local.pem)), name + " " + url);
                    }
                }
            }
            assertEquals(List.of(), relay.heads);
        }
    }

    @Test
    void withoutAVariableTheWayIsDirect() throws Exception {
        try (var backend = new Backend()) {
            assertGood(ask(backend.url().toString(), Map.of()), "none");
            assertGood(ask(backend.url().toString(), Map.of("HTTP_PROXY", "", "http_proxy", "")), "blank");
        }
    }

    @Test
    void noProxyLeavesHostsOut() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            int port = backend.url().getPort();
            String[][] rows = {{"127.0.0.1", "127.0.0.1"}, {"localhost", "localhost"}, {"LOCALHOST", "localhost"},
                {"*", "127.0.0.1"}, {"*", "localhost"}, {"a.test,127.0.0.1", "127.0.0.1"},
                {"127.0.0.1,a.test", "127.0.0.1"}, {".a.test, localhost , b.test", "localhost"},
                {"127.0.0.1:" + port, "127.0.0.1"}, {"localhost:1,localhost:" + port, "localhost"}};
            for (String[] row : rows) {
                for (String name : List.of("NO_PROXY", "no_proxy")) {
                    Map<String, String> environment = Map.of("HTTP_PROXY", relay.url(), name, row[0]);
                    String what = "%s=%s".formatted(name, row[0]);
                    assertGood(ask("http://%s:%d".formatted(row[1], port), environment), what);
                    assertEquals(List.of(), relay.heads, what);
                }
            }
        }
    }

    @Test
    void noProxyLeavesOutWhatEndsInASuffix() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            for (String list : List.of(".example.test", "example.test", "EXAMPLE.test", "a.test, .example.test",
                    ".test", "test", NOWHERE, "example.test:8080")) {
                Map<String, String> environment = Map.of("HTTP_PROXY", relay.url(), "NO_PROXY", list);
                String message = assertFails(ask("http://%s:8080/v1".formatted(NOWHERE), environment), list);
                assertTrue(message.contains(NOWHERE), message);
                assertEquals(List.of(), relay.heads, list);
            }
        }
    }

    @Test
    void noProxyLeavesOutNothingElse() throws Exception {
        try (var backend = new Backend(); Relay relay = Relay.proxy(backend.url().getPort())) {
            String[][] rows = {{"", "localhost"}, {",", "localhost"}, {" , ", "127.0.0.1"}, {"host", "localhost"},
                {"localhost:1", "localhost"}, {"127.0.0.1:1", "127.0.0.1"}, {"127.0.0.10,27.0.0.1", "127.0.0.1"},
                {"a.localhost", "localhost"}, {"ample.test", NOWHERE}, {"example.test.org", NOWHERE},
                {"example.tes", NOWHERE}, {"xexample.test", NOWHERE}, {"a.example.test", NOWHERE}, {"x", NOWHERE},
                {"example.test:1", NOWHERE}, {"exampleXtest", NOWHERE}, {".e*", NOWHERE}};
            for (String[] row : rows) {
                relay.heads.clear();
                Map<String, String> environment = Map.of("HTTP_PROXY", relay.url(), "NO_PROXY", row[0]);
                assertGood(ask("http://%s:%d".formatted(row[1], backend.url().getPort()), environment), row[0]);
                assertEquals(1, relay.heads.size(), row[0]);
            }
        }
    }

    @Test
    void noProxyHoldsForHttpsToo() throws Exception {
        try (var backend = new Backend();
                Relay tls = Relay.tls(local, backend); Relay relay = Relay.proxy(tls.port())) {
            Map<String, String> environment = Map.of("HTTPS_PROXY", relay.url(), "NO_PROXY", "localhost");
            String[] trusting = {"--ca-cert", pem(local.pem)};
            assertGood(ask("https://localhost:" + tls.port(), environment, trusting), "left out");
            assertEquals(0, relay.heads.size());
            assertGood(ask("https://127.0.0.1:" + tls.port(), environment, trusting), "not left out");
            assertEquals(1, relay.heads.size());
        }
    }

    @Test
    void anHttpProxyThatCannotBeReachedIs502() throws Exception {
        String closed = "http://127.0.0.1:" + Backend.deadPort();
        try (var backend = new Backend()) {
            assertFails(ask(backend.url().toString(), Map.of("HTTP_PROXY", closed)), "HTTP_PROXY");
            assertFails(ask("https://localhost:1/v1", Map.of("HTTPS_PROXY", closed)), "HTTPS_PROXY");
            assertEquals(0, backend.requests(), "no way around it is taken");
        }
    }

    @Test
    void anHttpProxyThatRefusesToTunnelIs502() throws Exception {
        try (var refusing = new Backend().answers(call -> call.reply(403, "text/plain", "no tunnels here"))) {
            String url = "http://127.0.0.1:" + refusing.url().getPort();
            assertFails(ask("https://backend.test/v1", Map.of("HTTPS_PROXY", url)), "HTTPS_PROXY");
            assertEquals("CONNECT backend.test:443 HTTP/1.1", refusing.take().line());
        }
    }

    // Certificates

    /** {@return the name of a new file of that text} */
    private static String pem(String text) throws IOException {
        return Files.writeString(Files.createTempFile(folder, "ca", ".pem"), text).toString();
    }

    @Test
    void aCertificateOfTheFileIsTrusted() throws Exception {
        try (var backend = new Backend(); Relay tls = Relay.tls(local, backend)) {
            String file = pem(local.pem);
            for (String host : List.of("127.0.0.1", "localhost")) {
                String url = "https://%s:%d/v1".formatted(host, tls.port());
                assertGood(ask(url, Map.of(), "--ca-cert", file), host);
                assertGood(ask(url, Map.of("A2O_CA_CERT", file)), host);
                assertGood(ask(true, Map.of(), "--upstream", url, "--ca-cert=" + file), host);
            }
        }
    }

    @Test
    void everyCertificateOfABundleIsTrusted() throws Exception {
        try (var backend = new Backend(); Relay tls = Relay.tls(local, backend)) {
            for (String bundle : List.of(local.pem + other.pem, other.pem + local.pem, other.pem + "\n\n" + local.pem,
                    "# Another\n" + other.pem + "\nThe one\n=======\n" + local.pem + "\n",
                    (other.pem + local.pem).replace("\n", "\r\n"), (other.pem + local.pem).strip())) {
                assertGood(ask("https://localhost:" + tls.port(), Map.of(), "--ca-cert", pem(bundle)), bundle);
            }
        }
    }

    @Test
    void anUnknownCertificateIs502() throws Exception {
        try (var backend = new Backend(); Relay tls = Relay.tls(local, backend)) {
            String url = "https://localhost:" + tls.port();
            assertTlsFails(ask(url, Map.of()), "no --ca-cert");
            assertTlsFails(ask(url, Map.of(), "--ca-cert", pem(other.pem)), "another certificate");
            assertEquals(0, backend.requests());
        }
    }

    @Test
    void aTrustedCertificateForAnotherHostIs502() throws Exception {
        try (var backend = new Backend(); Relay tls = Relay.tls(other, backend)) {
            for (String host : List.of("localhost", "127.0.0.1")) {
                String url = "https://%s:%d".formatted(host, tls.port());
                assertTlsFails(ask(url, Map.of(), "--ca-cert", pem(other.pem)), host);
            }
            assertEquals(0, backend.requests());
        }
    }

    /** The JDK's certificates are those of its own file, or of the one that this property names in its place. */
    @Test
    void whatTheJdkTrustsIsTrustedStill() throws Exception {
        String property = "javax.net.ssl.trustStore";
        assumeTrue(local != null && System.getProperty(property) == null, "no keytool here, or a trust store is set");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("local", local.certificate());
        Path file = folder.resolve("jdk.p12");
        try (var out = Files.newOutputStream(file)) {
            store.store(out, PASSWORD);
        }
        try (var backend = new Backend(); Relay tls = Relay.tls(local, backend)) {
            System.setProperty(property, file.toString());
            System.setProperty(property + "Password", new String(PASSWORD));
            assertGood(ask("https://localhost:" + tls.port(), Map.of(), "--ca-cert", pem(other.pem)), "beside others");
        } finally {
            System.clearProperty(property);
            System.clearProperty(property + "Password");
        }
    }

    private static void assertDoesNotStart(String file, String what) {
        Exception e = assertThrows(Exception.class, () -> Proxies.start("--upstream", "http://127.0.0.1:1/v1",
                "--ca-cert", file).close(), what);
        assertTrue(e instanceof UsageError || e instanceof IOException, () -> what + ": " + e);
        assertEquals(1, e.getMessage().lines().count(), what);
        assertTrue(e.getMessage().contains("--ca-cert") || e.getMessage().contains(file), e.getMessage());
        if (e instanceof UsageError wrong) assertEquals(1, wrong.exitStatus(), what);
    }

    @Test
    void aFileWithoutCertificatesDoesNotStart() throws Exception {
        assertDoesNotStart(folder.resolve("missing.pem").toString(), "a missing file");
        assertDoesNotStart(folder.toString(), "a folder");
        assertDoesNotStart(pem(""), "an empty file");
        assertDoesNotStart(pem("\n"), "a blank file");
        assertDoesNotStart(pem("no certificate\n"), "any text");
        assertDoesNotStart(pem("-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n"), "a key");
        assertDoesNotStart(pem("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"), "a broken one");
        assertDoesNotStart(pem("-----BEGIN CERTIFICATE-----\nMIIB"), "a cut one");
    }

    @Test
    void oneBrokenCertificateIsNotPassedOver() throws Exception {
        assumeTrue(local != null, "no keytool here");
        String broken = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";
        assertDoesNotStart(pem(local.pem + broken), "after a good one");
        assertDoesNotStart(pem(broken + local.pem), "before a good one");
    }

    // Addresses that lead elsewhere

    /** {@return the message of the error, without the host and its port} */
    private static String reason(Wire.Reply reply, String what) {
        return assertFails(reply, what).replaceFirst("^[\\w.-]+(:\\d+)?: ", "");
    }

    private static String reason(String url, String... args) throws IOException {
        return reason(ask(url, Map.of(), args), url);
    }

    private static final String PLAIN = "TLS failed: no TLS is spoken there; use http:// in --upstream";
    private static final String TLS = "TLS is spoken there; use https:// in --upstream";

    @Test
    void httpsToAPlainPortIsSaid() throws Exception {
        try (var mute = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            Thread.ofVirtual().start(() -> answerAll(mute, ""));
            assertEquals("TLS failed: the connection was closed in the handshake; if no TLS is spoken there, use http:// "
                    + "in --upstream", reason("https://localhost:" + mute.getLocalPort()));
        }
        try (var banner = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            Thread.ofVirtual().start(() -> answerAll(banner, "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
            assertEquals(PLAIN, reason("https://localhost:" + banner.getLocalPort()));
        }
    }

    /** Answers each connection so, whatever is asked, and closes it when the other side has. */
    private static void answerAll(ServerSocket server, String answer) {
        try {
            while (true) {
                try (Socket socket = server.accept()) {
                    socket.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                    socket.shutdownOutput();
                    socket.getInputStream().readAllBytes();
                }
            }
        } catch (IOException closed) {
            // the end of the test
        }
    }

    @Test
    void httpToATlsPortIsSaid() throws Exception {
        try (var backend = new Backend(); Relay tls = Relay.tls(local, backend)) {
            assertEquals(TLS, reason("http://localhost:" + tls.port()));
            assertEquals(0, backend.requests());
        }
        for (String words : List.of("<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
                "Client sent an HTTP request to an HTTPS server.\n",
                "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />")) {
            try (var backend = new Backend().answers(call -> call.reply(400, "text/html", words))) {
                assertEquals(TLS, reason(backend.url().toString()));
            }
        }
    }

    @Test
    void whatAnswersWithoutHttpIsSaid() throws Exception {
        try (var ssh = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            Thread.ofVirtual().start(() -> answerAll(ssh, "SSH-2.0-OpenSSH_9.2\r\n"));
            assertEquals("what answers there does not speak HTTP", reason("http://localhost:" + ssh.getLocalPort()));
        }
    }

    /** It is asked whether it speaks TLS only until it has answered once. */
    @Test
    void aBackendThatBreaksOffIsNotTakenForTls() throws Exception {
        try (var backend = new Backend().answers(Backend.saying("once"), Backend.Call::reset);
                Proxy proxy = Proxies.start("--upstream", backend.url().toString())) {
            String request = """
                    {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";
            assertEquals(200, Wire.post(proxy.port(), request).status());
            int before = backend.connections();
            assertEquals("the connection broke before a reply came", reason(Wire.post(proxy.port(), request), "then"));
            assertTrue(backend.connections() - before <= 3, "three tries are three connections");
        }
    }

    @Test
    void eachFaultOfACertificateIsSaid() throws Exception {
        String untrusted = "TLS failed: the certificate is not trusted; if it is your own, or your company's, give it as "
                + "--ca-cert FILE";
        String another = "TLS failed: the certificate is for another host; use its name in --upstream";
        try (var backend = new Backend(); Relay mine = Relay.tls(local, backend); Relay his = Relay.tls(other, backend)) {
            assertEquals(untrusted, reason("https://localhost:" + mine.port()));
            assertEquals(untrusted, reason("https://localhost:" + mine.port(), "--ca-cert", pem(other.pem)));
            assertEquals(another, reason("https://localhost:" + his.port(), "--ca-cert", pem(other.pem)));
            assertEquals(another, reason("https://127.0.0.1:" + his.port(), "--ca-cert", pem(other.pem)));
        }
    }

    @Test
    void whatIsWrongWithAnHttpProxyIsSaid() throws Exception {
        String closed = "http://127.0.0.1:" + Backend.deadPort();
        String dead = "cannot connect to the HTTP proxy 127.0.0.1:%d; is HTTP_PROXY or HTTPS_PROXY right?";
        assertEquals(dead.formatted(Backend.deadPort()),
                reason(ask("http://backend.test/v1", Map.of("HTTP_PROXY", closed)), "HTTP_PROXY"));
        assertEquals(dead.formatted(Backend.deadPort()),
                reason(ask("https://backend.test/v1", Map.of("HTTPS_PROXY", closed)), "HTTPS_PROXY"));
        assertEquals("cannot connect to the HTTP proxy %s:1; is HTTP_PROXY or HTTPS_PROXY right?".formatted(NOWHERE),
                reason(ask("https://backend.test/v1", Map.of("HTTPS_PROXY", "http://%s:1".formatted(NOWHERE))), "unknown"));
        try (var refusing = new Backend().answers(call -> call.reply(403, "text/plain", "no tunnels here"))) {
            int port = refusing.url().getPort();
            assertEquals("the HTTP proxy 127.0.0.1:%d does not let it through: status 403".formatted(port),
                    reason(ask("https://backend.test/v1", Map.of("HTTPS_PROXY", "http://127.0.0.1:" + port)), "403"));
        }
        assertEquals("cannot connect; is the backend running?", reason("http://127.0.0.1:" + Backend.deadPort()));
        assertEquals("the host is not known", reason("http://" + NOWHERE));
    }

    @Test
    void aWebPageIsSaid() throws Exception {
        String page = "<!doctype html><html><head><title>Open WebUI</title></head><body></body></html>";
        String said = "a web page came, not a reply; is --upstream right? its path often ends in /v1. The page: Open WebUI";
        try (var backend = new Backend().answers(call -> call.reply(200, "text/html", page))) {
            assertEquals(said, reason(backend.url().toString()));
        }
        for (int status : List.of(404, 405)) { // which keep their meaning
            try (var backend = new Backend().answers(call -> call.reply(status, "text/html", page))) {
                Wire.Reply reply = ask(backend.url().toString(), Map.of());
                assertEquals(status, reply.status());
                assertTrue(reply.text("error.message").endsWith(": " + said), reply.body());
            }
        }
    }

    @Test
    void aRedirectIsSaidWithoutWhatMayBeSecret() throws Exception {
        for (int status : List.of(301, 302, 307, 308)) {
            try (var backend = new Backend().answers(call -> call.reply(status, "text/html", "<h1>Moved</h1>",
                    "location: https://user:secret@h.test/v1/chat/completions?key=secret#secret"))) {
                assertEquals("it redirects to https://h.test/v1/chat/completions; if that is the backend's, use it in "
                        + "--upstream", reason(backend.url().toString()));
                assertEquals(1, backend.requests(), "it is not followed");
            }
        }
    }

    @Test
    void anotherA2oIsNoBackend() throws Exception {
        for (String[] args : List.of(new String[] {"--upstream", "demo"}, new String[] {"--upstream", "demo", "--auth-key", "k"})) {
            try (Proxy other = Proxies.start(args)) {
                for (String path : List.of("", "/v1", "/anthropic")) {
                    assertEquals("that is A2o, not a backend; --upstream must be the address of what it is to ask",
                            reason("http://127.0.0.1:" + other.port() + path));
                }
            }
        }
    }
}

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What the checks in Java have in common: one line for each, a deadline, and what the mock has seen. Not a client. */
final class Check {
    static final String A2O = System.getenv("A2O_URL");
    static final String TEXT = "Hello, wörld 😀, from the mock.";
    private static final URI SEEN = URI.create(System.getenv("MOCK_URL") + "/seen");
    private static final int DEADLINE_SECONDS = 30;
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /** What may throw anything. */
    interface Body {
        void run() throws Exception;
    }

    private Check() { }

    /** Runs one check against a mock that has seen nothing, and prints its line. */
    static void check(String name, Body body) throws Exception {
        HTTP.send(HttpRequest.newBuilder(SEEN).DELETE().build(), HttpResponse.BodyHandlers.discarding());
        Callable<String> outcome = () -> {
            body.run();
            return "";
        };
        var task = new FutureTask<>(outcome);
        Thread.ofPlatform().daemon().start(task);
        String line = "%s  " + System.getenv("CLIENT") + "  " + name + "%s";
        try {
            System.out.println(line.formatted("ok  ", task.get(DEADLINE_SECONDS, TimeUnit.SECONDS)));
        } catch (ExecutionException e) {
            e.getCause().printStackTrace();
            System.out.println(line.formatted("FAIL", ": %.600s".formatted(e.getCause().toString().replaceAll("\\s+", " "))));
        } catch (TimeoutException e) {
            System.out.println(line.formatted("FAIL", ": not done in " + DEADLINE_SECONDS + " s"));
        }
    }

    /** {@return the chat requests that the mock got since the check began, as JSON} */
    static String seen() throws IOException, InterruptedException {
        return HTTP.send(HttpRequest.newBuilder(SEEN).build(), HttpResponse.BodyHandlers.ofString()).body();
    }

    static int requests() throws IOException, InterruptedException {
        return seen().split("\"closedEarly\"", -1).length - 1;
    }

    static void equal(Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " instead of " + expected);
    }

    static void holds(boolean claim, Object otherwise) {
        if (!claim) throw new AssertionError(otherwise);
    }

    /** {@return what the body must throw, which is of that type} */
    static <T extends Throwable> T failure(Class<T> type, Callable<?> body) {
        Object value;
        try {
            value = body.call();
        } catch (Throwable e) {
            if (type.isInstance(e)) return type.cast(e);
            throw new AssertionError("%s instead of %s".formatted(e, type.getSimpleName()), e);
        }
        throw new AssertionError("no error, but %.200s".formatted(value));
    }
}

package testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import serve.Proxy;

/** The samples of {@code GET /metrics}, read as strictly as Prometheus 0.0.4 has it. */
public final class Samples {
    private static final Pattern SAMPLE = Pattern.compile("((?:a2o|process|jvm)_[a-z_]+?)(_bucket|_sum|_count)?"
            + "(\\{([a-z_]+=\"([^\"\\\\\n]|\\\\[\\\\\"n])*\"(,(?=[a-z])|(?=})))+})? ([0-9.]+(E-?[0-9]+)?)");

    private Samples() { }

    /** {@return the samples by name and labels, of a text that is strictly what Prometheus 0.0.4 wants} */
    public static Map<String, Double> of(Proxy proxy) throws IOException {
        Wire.Reply reply = Inspect.get(proxy, "/metrics");
        assertEquals(200, reply.status());
        assertEquals("text/plain; version=0.0.4; charset=utf-8", reply.headers().get("content-type"));
        assertTrue(reply.body().endsWith("\n"));
        Map<String, Double> samples = new LinkedHashMap<>();
        Set<String> families = new HashSet<>();
        String family = "";
        String type = "";
        String[] lines = reply.body().split("\n");
        for (int i = 0; i < lines.length; i++) {
            if (lines[i].startsWith("# HELP ")) {
                family = lines[i].split(" ")[2];
                assertTrue(families.add(family), "twice: " + family);
                assertTrue(lines[i].matches("# HELP (a2o|process|jvm)_[a-z_]+ [A-Z0-9][^\\\\]+\\."), lines[i]);
                assertTrue(lines[++i].matches("# TYPE " + family + " (counter|gauge|histogram)"), lines[i]);
                type = lines[i].split(" ")[3];
                assertEquals(type.equals("counter"), family.endsWith("_total"), lines[i]);
                continue;
            }
            Matcher sample = SAMPLE.matcher(lines[i]);
            assertTrue(sample.matches(), lines[i]);
            assertEquals(family, sample.group(1), lines[i]);
            assertEquals(type.equals("histogram"), sample.group(2) != null, lines[i]);
            String name = lines[i].substring(0, lines[i].lastIndexOf(' '));
            assertNull(samples.put(name, Double.valueOf(sample.group(7))), lines[i]);
        }
        samples.keySet().stream().filter(name -> name.matches("\\w+_count\\{.*")).forEach(name -> assertHistogram(samples, name));
        return samples;
    }

    /** @param count the name and the labels of the histogram's count */
    private static void assertHistogram(Map<String, Double> samples, String count) {
        double bound = 0;
        double below = 0;
        String start = count.replaceFirst("_count\\{(.*)}$", "_bucket{$1,le=\"");
        for (Map.Entry<String, Double> sample : samples.entrySet()) {
            if (!sample.getKey().startsWith(start)) continue;
            String le = sample.getKey().substring(start.length()).replaceFirst("\"}$", "");
            double next = le.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(le);
            assertTrue(next > bound, "bounds in order");
            assertTrue(sample.getValue() >= below, "counts that include the lower ones");
            bound = next;
            below = sample.getValue();
        }
        assertEquals(Double.POSITIVE_INFINITY, bound);
        assertEquals(samples.get(count), below);
    }

    public static double sum(Map<String, Double> samples, String start) {
        return samples.entrySet().stream().filter(sample -> sample.getKey().startsWith(start))
                .mapToDouble(Map.Entry::getValue).sum();
    }
}

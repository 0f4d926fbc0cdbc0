import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The picture of the README: a line for each row, and on it a mark for each program where its CPU for a request is, on
 * a logarithmic scale. It has a background of its own, so that it can be read on any page.
 */
final class Chart {
    private static final List<String> MARKS = List.of("○", "●", "■", "◆"); // for those who do not see the colours
    private static final int LEFT = 226, RIGHT = 600, TOP = 84, LINE = 24;

    private final Results results;
    private final List<String> rows, programs;
    private final double low, high; // decimal logarithms of microseconds

    /** The programs are those of the marks: the floor, A2o, and the others. */
    Chart(Results results, List<String> rows, List<String> programs) {
        this.results = results;
        this.rows = rows;
        this.programs = programs;
        double[] values = rows.stream().flatMap(row -> programs.stream().map(program -> cpu(row, program)))
                .flatMapToDouble(OptionalDouble::stream).toArray();
        low = Math.floor(Math.log10(Arrays.stream(values).min().orElse(100)));
        high = Math.ceil(Math.log10(Arrays.stream(values).max().orElse(10_000)));
    }

    private OptionalDouble cpu(String row, String program) { return results.median(row, program, "cpu"); }

    private double x(double micros) { return LEFT + (RIGHT - LEFT) * (Math.log10(micros) - low) / (high - low); }

    String svg(String where) {
        int bottom = TOP + rows.size() * LINE;
        var body = new StringBuilder();
        for (int i = 0; i < programs.size(); i++) {
            body.append("<text x=\"%d\" y=\"52\"><tspan class=\"p%d\">%s</tspan> %s</text>%n".formatted(
                    16 + i * 170, i, MARKS.get(i), label(programs.get(i))));
        }
        for (double power = low; power <= high; power++) {
            double x = x(Math.pow(10, power)), millis = Math.pow(10, power - 3);
            body.append("<path d=\"M%.0f %dV%d\"/>".formatted(x, TOP - 8, bottom - 4));
            body.append("<text class=\"dim\" x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s ms</text>%n".formatted(
                    x, bottom + 14, millis >= 1 ? "%.0f".formatted(millis) : millis));
        }
        for (int i = 0; i < rows.size(); i++) body.append(line(rows.get(i), TOP + i * LINE + 10));
        return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 %1$d"
                font-family="system-ui, sans-serif" font-size="13" role="img">
                <title>CPU for a request of A2o and others</title>
                <style>
                .page { fill: #fff } text { fill: #1f2328 } .dim { fill: #59636e } path { stroke: #d1d9e0 }
                .p0 { fill: #59636e } .p1 { fill: #1f6fc0 } .p2 { fill: #c4540a } .p3 { fill: #2e7d32 }
                @media (prefers-color-scheme: dark) {
                .page { fill: #0d1117 } text { fill: #e6edf3 } .dim { fill: #9198a1 } path { stroke: #3d444d }
                .p0 { fill: #9198a1 } .p1 { fill: #58a6ff } .p2 { fill: #f0883e } .p3 { fill: #56d364 } }
                </style>
                <rect class="page" width="700" height="%1$d" rx="6"/>
                <text x="16" y="26" font-size="15" font-weight="600">CPU for a request (c: requests at a time)</text>
                %2$s<text class="dim" x="16" y="%3$d" font-size="11">%4$s</text>
                </svg>
                """.formatted(bottom + 50, body, bottom + 38, escaped(where));
    }

    private String line(String row, int y) {
        var line = new StringBuilder("<text x=\"16\" y=\"%d\">%s</text>".formatted(y, escaped(row)));
        for (int i = 0; i < programs.size(); i++) {
            OptionalDouble cpu = cpu(row, programs.get(i));
            if (cpu.isEmpty()) continue;
            line.append("<text class=\"p%d\" x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s</text>".formatted(
                    i, x(cpu.getAsDouble()), y, MARKS.get(i)));
        }
        cpu(row, programs.get(1)).ifPresent(cpu -> line.append(
                "<text class=\"p1\" x=\"686\" y=\"%d\" text-anchor=\"end\">%,.0f µs</text>".formatted(y, cpu)));
        return line.append('\n').toString();
    }

    /** {@return what that program is called in the README} */
    static String label(String program) {
        return switch (program) {
            case "floor" -> "JDK, bytes passed on";
            case "a2o" -> "A2o";
            case "a2o-r" -> "A2o before Responses";
            default -> program;
        };
    }

    private static String escaped(String text) { return text.replace("&", "&amp;").replace("<", "&lt;"); }
}

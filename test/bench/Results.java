import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.DoubleBinaryOperator;

/** What was measured: for each row of the tables and each program the figures of its rounds, by name. */
final class Results {
    private final Map<String, Map<String, List<Map<String, Double>>>> rows = new HashMap<>();

    void add(String row, String program, Map<String, Double> figures) {
        rows.computeIfAbsent(row, key -> new HashMap<>()).computeIfAbsent(program, key -> new ArrayList<>()).add(figures);
    }

    /** {@return the median of the rounds; empty if there was none, or if it has no such figure} */
    OptionalDouble median(String row, String program, String figure) {
        return median(rounds(row, program).stream().filter(each -> each.containsKey(figure))
                .map(each -> each.get(figure)).toList());
    }

    /** {@return the median of a ÷ b, each of the same round; empty if one of them was not measured, or had errors} */
    OptionalDouble ratio(String row, String a, String b, String figure) {
        boolean hasErrors = errors(row, a) + errors(row, b) > 0;
        return hasErrors ? OptionalDouble.empty() : pairs(row, a, b, figure, (x, y) -> x / y);
    }

    /** {@return the median of a - b, each of the same round; empty if one of them was not measured} */
    OptionalDouble difference(String row, String a, String b, String figure) {
        return pairs(row, a, b, figure, (x, y) -> x - y);
    }

    long errors(String row, String program) {
        return (long) rounds(row, program).stream().mapToDouble(each -> each.getOrDefault("errors", 0.0)).sum();
    }

    private OptionalDouble pairs(String row, String a, String b, String figure, DoubleBinaryOperator operator) {
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < Math.min(rounds(row, a).size(), rounds(row, b).size()); i++) {
            Double x = rounds(row, a).get(i).get(figure), y = rounds(row, b).get(i).get(figure);
            if (x != null && y != null) values.add(operator.applyAsDouble(x, y));
        }
        return median(values);
    }

    private List<Map<String, Double>> rounds(String row, String program) {
        return rows.getOrDefault(row, Map.of()).getOrDefault(program, List.of());
    }

    private static OptionalDouble median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(sorted[(sorted.length - 1) / 2]);
    }
}

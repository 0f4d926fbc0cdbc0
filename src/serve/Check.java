package serve;

import config.CommandLine;
import config.Option;
import config.Options;
import config.Route;
import config.ShownOptions;
import config.Target;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;

/**
 * {@code --check}: asks each backend, through a proxy as clients will, for what Claude Code uses, and prints
 * what works and the command to use. It changes nothing, and writes no log.
 */
public final class Check {
    private final CommandLine given;
    private final String program;
    private final Map<String, String> environment;
    private final PrintStream out;
    private final CommandLine local; // the same, for proxies of its own
    private final Options options;

    /** @param program the command that has started A2o, for a shell: {@code java -jar a2o.jar} */
    public Check(CommandLine given, String program, Map<String, String> environment, PrintStream out) {
        this.given = given;
        this.program = program;
        this.environment = environment;
        this.out = out;
        this.local = given.with(Option.HOST, List.of("127.0.0.1")).with(Option.PORT, List.of("0"));
        this.options = Options.of(local);
    }

    /**
     * Prints the rows, what follows from them, and the command to use.
     *
     * @return true if Claude Code will work, with one of the backends that its main model is asked of
     */
    public boolean works() throws IOException {
        List<Target> all = options.upstreams();
        List<String> conclusions = new ArrayList<>();
        Optional<String> model = Optional.empty(); // of the first that works
        for (Target target : inOrder()) {
            CommandLine one = Options.ofBackend(all.indexOf(target), local);
            try (var check = new BackendCheck(one, environment, out)) {
                String name = target.name().map(text -> text + " at ").orElse("");
                check.run(name, model(target, one, model));
                String whose = all.size() > 1 ? target.label() + ": " : "";
                conclusions.add(whose + check.conclusion());
                boolean isFirstThatWorks = check.works() && model.isEmpty() && ofMain().contains(target);
                if (isFirstThatWorks) model = Optional.of(check.model());
            }
            out.println();
        }
        conclusions.forEach(out::println);
        model.ifPresent(this::printCommand);
        return model.isPresent();
    }

    /** {@return the backends that Claude Code's main model is asked of, in that order} */
    private List<Target> ofMain() { return options.routes().main().targets(); }

    private List<Target> inOrder() {
        return Stream.concat(ofMain().stream(), options.upstreams().stream()).distinct().toList();
    }

    /** {@return the model to ask a backend for; none if it is the first one that it lists} */
    private Optional<String> model(Target target, CommandLine one, Optional<String> ofFirst) {
        Route.Table routes = Options.of(one).routes();
        String always = routes.of("").model();
        if (!always.isEmpty()) return Optional.of(always);
        boolean isFirst = target.equals(ofMain().getFirst());
        return isFirst ? Optional.empty() : routes.sampleModel().or(() -> ofFirst);
    }

    /** Prints the command that runs Claude Code on the same backends, and what to put into it. */
    private void printCommand(String model) {
        var shown = new ShownOptions(given, model);
        var command = new StringJoiner(" ", "  ", " -- claude");
        shown.variables().forEach((name, values) -> command.add(name + "=" + lines(values)));
        command.add(program);
        shown.words().forEach(word -> command.add(ClientVariables.quoted(word)));
        out.println(options.secrets().mask(command.toString()));
        if (!shown.variables().isEmpty()) out.println("  with what is secret in place of the dots");
        if (!shown.inherited().isEmpty()) {
            out.printf("  with %s set as now%n", String.join(" and ", shown.inherited()));
        }
    }

    /** {@return a word for a shell, which has the values as its lines} */
    private static String lines(List<String> values) {
        List<String> words = values.stream().map(ClientVariables::quoted).toList();
        if (words.size() == 1) return words.getFirst();
        return "\"$(printf '%%s\\n' %s)\"".formatted(String.join(" ", words));
    }
}

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import config.CommandLine;
import config.Options;
import config.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README tells a stranger to type is understood; what it tells of an older Java is so. */
class ReadmeTest {
    /** Variables, then a2o, or java or build.sh with what they need to run it, then options up to a comment or the end. */
    private static final Pattern COMMAND = Pattern.compile(
            "(?m)^(?:ExecStart=)?((?:\\w+=\\S+ )*)(?:a2o|\\./build\\.sh run|\\S*java .*?-jar \\S*a2o\\.jar)(?= |$)(.*?)( +#.*| &)?$");
    private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");

    private static List<String> words(String line) {
        return WORD.matcher(line).results().map(word -> word.group(1) != null ? word.group(1)
                : word.group(2) != null ? word.group(2) : word.group(3)).toList();
    }

    @Test
    void everyCommandIsUnderstood() throws Exception {
        String readme = Files.readString(Path.of("README.md"));
        List<MatchResult> commands = COMMAND.matcher(readme).results().toList();
        List<String> hosts = new ArrayList<>();
        for (MatchResult command : commands) {
            Map<String, String> environment = new HashMap<>();
            for (String pair : words(command.group(1))) environment.put(pair.replaceFirst("=.*", ""), "sk-key");
            List<String> given = new ArrayList<>(words(command.group(2)));
            boolean isDemo = command.group().startsWith("./build.sh") && !given.contains("--upstream");
            if (isDemo || command.group().startsWith("ExecStart")) given.addAll(0, List.of("--upstream", "demo"));
            CommandLine read = CommandLine.read(given.toArray(String[]::new), environment);
            Target target = Options.of(read).upstreams().getFirst();
            assertEquals(!environment.isEmpty(), target.key().isPresent(), () -> "the key is used: " + command.group());
            hosts.add(target.host());
        }
        assertTrue(hosts.containsAll(List.of("localhost", "api.openai.com", "NAME.openai.azure.com", "api.deepseek.com",
                "openrouter.ai")), hosts::toString);
        assertTrue(commands.size() >= 14, commands.size() + " commands");
    }

    /** Blocks that hold nothing but options and comments. */
    private static final Pattern OPTION_FILE = Pattern.compile("(?m)^```\\n((?:(?:--[a-z]|# ).*\\n)+)```$");

    @Test
    void everyFileOfOptionsIsUnderstood(@TempDir Path folder) throws Exception {
        List<String> files = OPTION_FILE.matcher(Files.readString(Path.of("README.md"))).results()
                .map(block -> block.group(1)).toList();
        assertEquals(2, files.size(), files::toString);
        for (String text : files) {
            Path file = Files.writeString(folder.resolve("a2o.options"), text);
            Options options = Options.of(CommandLine.read(new String[] {"@" + file}, Map.of()));
            assertEquals(2, options.upstreams().size(), text);
            assertTrue(options.routes().main().isMapped(), text);
        }
    }

    @Test
    void anOlderJavaSaysWhatIsMissing() throws Exception {
        String version = sh("java -XshowSettings:properties -version")
                .replaceFirst("(?s).*java\\.specification\\.version = (\\S+).*", "$1");
        assumeTrue(version.matches("1\\.8|9|1\\d|20"), "no older Java on the PATH");
        String said = sh("java -jar build/a2o.jar --version; echo status $?");
        assertTrue(said.startsWith("a2o needs Java 21 or newer; this is Java " + version + ", in "), said);
        assertTrue(said.endsWith("status 1\n"), said);
    }

    private static String sh(String command) throws IOException {
        Process process = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}

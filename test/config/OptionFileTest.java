package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Options in a file, given as {@code @FILE}. */
class OptionFileTest {
    @TempDir
    private Path folder;

    private String file(String text) throws IOException {
        return "@" + Files.writeString(folder.resolve("a2o options.txt"), text);
    }

    private static CommandLine read(String... words) {
        return CommandLine.read(words, Map.of("A2O_MODEL", "environment"));
    }

    private static UsageError wrong(String... words) {
        return assertThrows(UsageError.class, () -> read(words), String.join(" ", words));
    }

    @Test
    void eachLineIsAnOption() throws Exception {
        CommandLine given = read(file("""
                # a comment

                --upstream local=http://localhost:11434/v1
                  --upstream=or=https://openrouter.ai/api/v1?a=b
                http://bare.test
                --header X-A: b = c
                --header 'X-B: d'
                --header=X-C: e
                --extra-body {"a": "b c"}@or
                --map "*haiku*=small@local"
                --port   99
                --model = m
                --debug
                """));
        assertEquals(List.of("local=http://localhost:11434/v1", "or=https://openrouter.ai/api/v1?a=b",
                "http://bare.test"), given.all(Option.UPSTREAM));
        assertEquals(List.of("X-A: b = c", "X-B: d", "X-C: e"), given.all(Option.HEADER));
        assertEquals(List.of("{\"a\": \"b c\"}@or"), given.all(Option.EXTRA_BODY));
        assertEquals(List.of("*haiku*=small@local"), given.all(Option.MAP));
        assertEquals(List.of("99"), given.all(Option.PORT));
        assertEquals(List.of("m"), given.all(Option.MODEL), "before the environment");
        assertTrue(given.isOn(Option.DEBUG));
    }

    @Test
    void theFileStandsForItsOptionsWhereItIsNamed() throws Exception {
        String file = file("--port 1\n--header A: 1");
        assertEquals(List.of("1", "2"), read(file, "--port", "2").all(Option.PORT), "the last counts");
        assertEquals(List.of("2", "1"), read("--port", "2", file).all(Option.PORT));
        assertEquals(List.of("B: 2", "A: 1"), read("--header", "B: 2", file).all(Option.HEADER));
        assertEquals(List.of(file.substring(1)), read(file).all(Option.FILE));
        assertEquals(List.of("@x"), read("--upstream-key", "@x").all(Option.UPSTREAM_KEY), "a value is no file");
        assertEquals(List.of("claude", "@x"), read("--", "claude", "@x").all(Option.COMMAND));
    }

    @Test
    void aMistakeIsToldWithItsLine() throws Exception {
        String[][] rows = {
            {"--port 1\n\n--prot 2", "line 3: unknown option --prot; did you mean --port?"},
            {"--port", "line 1: --port needs a value"},
            {"nonsense", "line 1: 'nonsense' is no option; if it is a command to run, put -- before it, as in: -- nonsense"},
            {"--check", "line 1: --check is for the command line alone"},
            {"-h", "line 1: -h is for the command line alone"},
            {"--", "line 1: a command is expected after --"},
            {"--debug false", "line 1: --debug takes no value"},
            {"--model # none", "line 1: --model needs a value"},
            {"--upstream http://h --model m", "line 1: one option a line is expected, but --model follows; quotes make it a part of the value"},
            {"\n--upstream-key 'k", "line 2: quotes are expected around the whole value, as in 'VALUE' or 'VALUE'@NAME"},
            {"--header 'X-A: b' c", "line 1: quotes are expected around the whole value, as in 'VALUE' or 'VALUE'@NAME"},
            {"@other", "line 1: a file of options cannot name another one"}};
        for (String[] row : rows) {
            String file = file(row[0]);
            assertEquals(file + ", " + row[1], wrong(file).shortMessage());
        }
    }

    @Test
    void aWrongValueIsToldWithItsLine() throws Exception {
        String[][] rows = {
            {"--upstream http://h\n\n--port abc", "line 3: --port: a whole number from 0 to 65535 expected, not 'abc'"},
            {"--upstream http://h\n--port 1\n--port 99999", "line 3: --port: a whole number from 0 to 65535 expected, not '99999'"},
            {"--upstream http://h\n--header A: b\n--header no\n--header no",
                "line 3: --header: 'Name: value' expected, with a name that may be set"},
            {"--upstream x=http://h\n--extra-body {}\n--extra-body [1]@x", "line 3: --extra-body: a JSON object expected"},
            {"--upstream x=http://h\n--context 1\n--context many@x",
                "line 3: --context: a whole number from 0 to 999999999 expected, not 'many'"},
            {"--log-format xml\n--upstream http://h", "line 1: --log-format: text or json expected"},
            {"--upstream x=http://h\n--upstream x=http://g",
                "line 2: --upstream: each name can be given to one backend only"},
            {"--upstream http://h\n--header-through a b", "line 2: --header-through: the name of a header expected, as x-session"},
            {"--port 9\n--upstream http://h\n--upstream http://127.0.0.1:9",
                "line 3: --upstream: 127.0.0.1:9 is where a2o itself listens; the backend's address is expected"}};
        for (String[] row : rows) {
            String file = file(row[0]);
            UsageError wrong = assertThrows(UsageError.class, () -> Options.of(read(file)), row[0]);
            assertEquals(file + ", " + row[1], wrong.shortMessage());
            assertEquals(2, wrong.exitStatus());
        }
        String file = file("--upstream http://h\n--upstream http://");
        UsageError address = assertThrows(UsageError.class, () -> Options.of(read(file)));
        assertTrue(address.shortMessage().startsWith(file + ", line 2: --upstream: "), address.shortMessage());
        assertEquals(1, address.exitStatus());
    }

    @Test
    void aWrongValueOfTheCommandLineHasNoLine() throws Exception {
        String file = file("--upstream http://h\n--port 1\n--header A: b");
        for (String[] words : new String[][] {{file, "--port", "abc"}, {file, "--header", "no"}, {"--header", "no", file}}) {
            UsageError wrong = assertThrows(UsageError.class, () -> Options.of(read(words)));
            assertTrue(wrong.shortMessage().startsWith("--"), wrong.shortMessage());
        }
    }

    @Test
    void commentsMayStandBehindOptions() throws Exception {
        CommandLine given = read(file("""
                --upstream http://h/v1#a # a box
                http://bare.test # another
                --model m\t# c
                --header 'X-A: b # c' # d
                --header "X-B: it's"@local   #
                --auth-key anna=k#1
                --extra-body {"a": "b # c"} # d
                --debug # on
                """));
        assertEquals(List.of("http://h/v1#a", "http://bare.test"), given.all(Option.UPSTREAM));
        assertEquals(List.of("m"), given.all(Option.MODEL));
        assertEquals(List.of("X-A: b # c", "X-B: it's@local"), given.all(Option.HEADER));
        assertEquals(List.of("anna=k#1"), given.all(Option.AUTH_KEY));
        assertEquals(List.of("{\"a\": \"b # c\"}"), given.all(Option.EXTRA_BODY));
        assertTrue(given.isOn(Option.DEBUG));
    }

    @Test
    void aFileOfWindowsIsRead() throws Exception {
        CommandLine given = read(file("\ufeff--port 1\r\n# c\r\n--timeout 'x'\r\n"));
        assertEquals(List.of("1"), given.all(Option.PORT));
        assertEquals(List.of("x"), given.all(Option.TIMEOUT));
    }

    @Test
    void aFileThatCannotBeReadIsSaid() throws Exception {
        UsageError missing = wrong("@" + folder.resolve("none"));
        assertEquals("the file of options %s cannot be read, or is not UTF-8".formatted(folder.resolve("none")),
                missing.shortMessage());
        assertEquals(1, missing.exitStatus());
        Path bytes = Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xC0});
        assertTrue(wrong("@" + bytes).shortMessage().endsWith("is not UTF-8"));
        Path longOne = Files.write(folder.resolve("long"), new byte[1024 * 1024 + 1]);
        assertTrue(wrong("@" + longOne).shortMessage().endsWith("is too long"));
    }

    @Test
    void itIsReadAgain() throws Exception {
        CommandLine given = read(file("--port 1"), "--timeout", "9");
        file("--port 2");
        assertEquals(List.of("2"), given.readAgain().all(Option.PORT));
        assertEquals(List.of("9"), given.readAgain().all(Option.TIMEOUT));
        assertEquals(List.of(Option.PORT), given.fixedThatDiffer(given.readAgain()));
    }
}

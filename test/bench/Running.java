import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** A program that runs and listens on that port, with what it and its child processes have used until now. */
record Running(String name, int port, Process process) {
    /** {@return the processor time, in microseconds} */
    double cpu() {
        return tree().map(each -> each.info().totalCpuDuration().orElse(Duration.ZERO))
                .mapToDouble(Duration::toNanos).sum() / 1e3;
    }

    /** {@return the microseconds that each of the JVM's compiler threads has run; nothing where there is no /proc} */
    Map<String, Double> compilers() throws IOException {
        Map<String, Double> micros = new HashMap<>();
        Path tasks = Path.of("/proc/%d/task".formatted(process.pid()));
        if (!Files.isDirectory(tasks)) return micros;
        try (Stream<Path> threads = Files.list(tasks)) {
            for (Path thread : threads.toList()) {
                try {
                    if (!Files.readString(thread.resolve("comm")).matches("C[12] Compiler.*\\s*")) continue;
                    String nanos = Files.readString(thread.resolve("schedstat")).split(" ")[0];
                    micros.put(thread.toString(), Double.parseDouble(nanos) / 1e3);
                } catch (IOException ended) {
                    // compiler threads come and go: the little that this one did is counted as the program's own
                }
            }
        }
        return micros;
    }

    /** {@return the memory by that name in /proc (VmRSS: now, VmHWM: its peak), in MiB; empty where there is no /proc} */
    OptionalDouble memory(String name) throws IOException {
        double kilobytes = 0;
        for (ProcessHandle each : tree().toList()) {
            kilobytes += values("/proc/%d/status".formatted(each.pid()), name)
                    .mapToLong(value -> Long.parseLong(value.replace(" kB", ""))).sum();
        }
        return kilobytes > 0 ? OptionalDouble.of(kilobytes / 1024) : OptionalDouble.empty();
    }

    /** {@return the values of that name in a file of lines NAME: VALUE, if there is such a file} */
    static Stream<String> values(String file, String name) throws IOException {
        if (!Files.exists(Path.of(file))) return Stream.empty();
        return Files.readString(Path.of(file)).lines().filter(line -> line.startsWith(name))
                .map(line -> line.split(":", 2)[1].strip());
    }

    void kill() {
        tree().toList().forEach(ProcessHandle::destroyForcibly);
    }

    void stop() throws InterruptedException {
        kill();
        process.waitFor();
    }

    private Stream<ProcessHandle> tree() { return Stream.concat(process.descendants(), Stream.of(process.toHandle())); }
}

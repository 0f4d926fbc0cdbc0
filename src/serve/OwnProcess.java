package serve;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What the operating system tells about this process. Some of it only Linux does, in {@code /proc}; elsewhere
 * it is not known.
 */
final class OwnProcess {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final String RESIDENT = "VmRSS:"; // as "VmRSS:     52344 kB"
    private static final String KILOBYTES = " kB";

    private OwnProcess() { }

    /** {@return the processor time that all threads have taken} */
    static Optional<Duration> cpuTime() { return ProcessHandle.current().info().totalCpuDuration(); }

    static Optional<Instant> start() { return ProcessHandle.current().info().startInstant(); }

    /** {@return the memory that it takes, without what is swapped out} */
    static OptionalLong residentBytes() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(RESIDENT))
                    .map(line -> line.substring(RESIDENT.length()).replace(KILOBYTES, "").strip())
                    .mapToLong(kilobytes -> Long.parseLong(kilobytes) * 1024).findFirst();
        } catch (IOException | NumberFormatException e) { // there is no such file, or it has another form
            return OptionalLong.empty();
        }
    }

    static OptionalLong openDescriptors() {
        try (Stream<Path> open = Files.list(DESCRIPTORS)) {
            return OptionalLong.of(open.count() - 1); // but for the one of this look
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The file of the log where a client has the screen: the one of {@code --log-file}, or a temporary one, which
 * is of use only if the client fails.
 */
record ClientLog(String name, boolean isTemporary) {
    static ClientLog of(Optional<String> logFile) throws IOException {
        if (logFile.isPresent()) return new ClientLog(logFile.get(), false);
        return new ClientLog(Files.createTempFile("a2o-", ".log").toString(), true);
    }

    void removeIfTemporary() {
        if (!isTemporary) return;
        try {
            Files.deleteIfExists(Path.of(name));
        } catch (IOException e) {
            // it stays, as other temporary files do
        }
    }
}

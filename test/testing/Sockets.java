package testing;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** The sockets that this process holds, counted in Linux' /proc; other tests of the process are not counted in. */
public final class Sockets {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final int REMOTE_ADDRESS = 2; // columns of /proc/net/tcp
    private static final int INODE = 9;

    private Sockets() { }

    public static boolean canBeCounted() {
        return Files.isDirectory(DESCRIPTORS) && Files.isReadable(Path.of("/proc/self/net/tcp"));
    }

    /** {@return how many descriptors there are for a connection to that port, in whatever state} */
    public static int to(int port) throws IOException {
        Set<String> inodes = new HashSet<>();
        for (String table : new String[] {"tcp", "tcp6"}) {
            Path path = Path.of("/proc/self/net", table);
            if (!Files.exists(path)) continue;
            for (String line : Files.readAllLines(path)) {
                String[] columns = line.strip().split(" +");
                if (columns[REMOTE_ADDRESS].endsWith(":%04X".formatted(port))) inodes.add(columns[INODE]);
            }
        }
        int held = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : descriptors) {
                if (inodes.contains(target(descriptor).replaceAll("socket:\\[(\\d+)]", "$1"))) held++;
            }
        }
        return held;
    }

    private static String target(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException closed) { // meanwhile
            return "";
        }
    }
}

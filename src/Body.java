import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/**
 * Reads the body of a request for JSON, also a compressed one. It takes no more memory than has come and the budget
 * has, whatever the client announces.
 */
final class Body {
    private static final int MAX_BYTES = 32 * 1024 * 1024;
    private static final int UNKNOWN = MAX_BYTES + 1;
    private static final int FIRST_BYTES = 256 * 1024; // taken at once, or fewer where fewer are announced
    private static final int SKIPPED_BYTES = 8192; // at a time

    private final Client client;
    private final Budget.Share share;
    private final String encoding;
    private final long announced; // bytes, as they are sent; 0 where nothing is said

    Body(Client client, Budget.Share share) {
        this.client = client;
        this.share = share;
        this.encoding = client.header("content-encoding", "identity").strip().toLowerCase(Locale.ROOT);
        this.announced = Long.parseLong(client.header("content-length", "0"));
    }

    /** @throws ApiError if it is too large, does not come in time, or is not what its headers say */
    Json read() {
        if (announced > MAX_BYTES) throw tooLarge();
        try {
            return parsed(bytes());
        } catch (IOException | IndexOutOfBoundsException e) { // the latter for chunks of a length below zero
            client.closeAfter();
            if (client.isCut()) throw new ApiError(408, "the body did not come in time");
            String message = "the body is not what its headers say, or has trailers, which are not taken";
            throw new ApiError(400, "request_body_encoding_invalid", message);
        } catch (Json.TooManyValues e) {
            throw new ApiError(413, "the body holds more than %d JSON values".formatted(Json.MAX_VALUES));
        } catch (Json.Malformed e) {
            throw new ApiError(400, "the body is " + e.getMessage());
        }
    }

    private Json parsed(byte[] bytes) {
        var parser = new JsonParser(bytes, 0);
        long mostValues = Math.min(bytes.length / 2, Json.MAX_VALUES); // a digit and a comma each
        Json body = share.read(mostValues * Json.VALUE_BYTES, parser::document);
        share.hold(bytes.length + (long) parser.values() * Json.VALUE_BYTES);
        return body;
    }

    private byte[] bytes() throws IOException {
        InputStream sent = client.body();
        byte[] bytes = switch (encoding) {
            case "identity" -> all(sent, announced > 0 ? announced : UNKNOWN);
            case "gzip" -> all(new GZIPInputStream(sent), UNKNOWN);
            case "deflate" -> all(new InflaterInputStream(sent), UNKNOWN);
            default -> throw new ApiError(400, "request_body_encoding_unsupported", "gzip or deflate expected");
        };
        skip(sent);
        return bytes;
    }

    /** Reads to the end; {@code expected} is how many bytes will come, or more than allowed if that is not known. */
    private byte[] all(InputStream in, long expected) throws IOException {
        byte[] bytes = grown(new byte[0], Math.min(FIRST_BYTES, expected));
        int size = 0;
        for (int read = 0; read >= 0; read = in.read(bytes, size, bytes.length - size)) {
            size += read;
            if (size > MAX_BYTES) throw tooLarge();
            if (size < bytes.length) continue;
            int next = in.read();
            if (next < 0) return bytes;
            bytes = grown(bytes, Math.min(size * 2L, expected));
            bytes[size++] = (byte) next;
        }
        return grown(bytes, size);
    }

    /** {@return the beginning of {@code bytes}, with room for more} */
    private byte[] grown(byte[] bytes, long length) {
        boolean isTooLarge = !share.mayHold(2 * length); // for what is sent to the backend is as long
        if (isTooLarge) throw new ApiError(413, "the body is too large for the memory of this proxy");
        share.hold(bytes.length + length);
        byte[] grown = Arrays.copyOf(bytes, (int) length);
        share.hold(length);
        return grown;
    }

    /** Reads what is left after a compressed body, and the end of a chunked one: or the server waits for it. */
    private void skip(InputStream sent) throws IOException {
        var skipped = new byte[SKIPPED_BYTES];
        if (sent.read(skipped) >= 0) client.closeAfter();
        while (sent.read(skipped) >= 0) { }
    }

    private ApiError tooLarge() {
        String code = encoding.equals("identity") ? "" : "request_body_too_large_after_decoding";
        return new ApiError(413, code, "the body is over 32 MB");
    }
}

package serve;

import anthropic.ApiError;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import json.Json;
import json.JsonParser;

/**
 * Reads the body of a request, compressed or not, and parses it as JSON. It allocates memory as bytes arrive,
 * not by the length that the client announces, and only if the budget has room. What is not cleanly read to
 * its end closes the connection.
 */
final class Body {
    private static final int MAX_BYTES = 32 * 1024 * 1024;
    private static final int LONGEST = MAX_BYTES + 1; // that is read, to find that it is too large
    private static final int MAX_FIRST_BYTES = 256 * 1024; // allocated before anything has arrived
    private static final long GROWTH = 8; // of the array, at a time
    private static final int SKIP_BYTES = 8192; // at a time

    private final Client client;
    private final Budget.Share share;
    private final String encoding;
    private final long contentLength; // by its header; 0 if that is absent

    Body(Client client, Budget.Share share) {
        this.client = client;
        this.share = share;
        this.encoding = client.header("content-encoding", "identity").strip().toLowerCase(Locale.ROOT);
        this.contentLength = Long.parseLong(client.header("content-length", "0"));
    }

    /** @throws ApiError if it is too large, arrives too slowly, or is not what its headers say */
    Json read() {
        if (contentLength > MAX_BYTES) throw tooLarge();
        try {
            return parse(bytes());
        } catch (IOException | IndexOutOfBoundsException e) { // the latter for a negative chunk size
            client.closeAfter(); // the next request would begin within this body
            if (client.isCut()) throw new ApiError(408, "the body did not arrive in time");
            String message = "the body is not what its headers say, or has trailers, which are not supported";
            throw new ApiError(400, "request_body_encoding_invalid", message);
        } catch (Json.TooManyValues e) {
            throw new ApiError(413, "the body holds more than %d JSON values".formatted(Json.MAX_VALUES));
        } catch (Json.Malformed e) {
            throw new ApiError(400, "the body is " + e.getMessage());
        }
    }

    private Json parse(byte[] bytes) {
        var parser = new JsonParser(bytes, 0);
        long mostValues = Math.min(bytes.length / 2, Json.MAX_VALUES); // a digit and a comma each
        Json json = share.parse(mostValues * Json.VALUE_BYTES, parser::document);
        share.hold(bytes.length + (long) parser.values() * Json.VALUE_BYTES);
        return json;
    }

    private byte[] bytes() throws IOException {
        InputStream body = client.body();
        byte[] bytes = switch (encoding) {
            case "identity" -> readAll(body, plainLength());
            case "gzip" -> readAll(new GZIPInputStream(body), LONGEST);
            case "deflate" -> readAll(new InflaterInputStream(body), LONGEST);
            default -> throw unknownEncoding();
        };
        skipRest(body);
        return bytes;
    }

    private long plainLength() { return contentLength > 0 ? contentLength : LONGEST; }

    /** Reads to the end; no more than {@code mostBytes} come. The array grows as it fills up. */
    private byte[] readAll(InputStream in, long mostBytes) throws IOException {
        byte[] bytes = resized(new byte[0], Math.min(MAX_FIRST_BYTES, mostBytes));
        int size = 0;
        for (int read = 0; read >= 0; read = in.read(bytes, size, bytes.length - size)) {
            size += read;
            if (size > MAX_BYTES) throw tooLarge();
            if (size < bytes.length) continue;
            int next = in.read();
            if (next < 0) return bytes;
            bytes = resized(bytes, Math.min(size * GROWTH, mostBytes));
            bytes[size++] = (byte) next;
        }
        return resized(bytes, size);
    }

    /** {@return the bytes in an array of that length, for which the budget has room} */
    private byte[] resized(byte[] bytes, long length) {
        boolean canBeTranslated = share.mayHold(2 * length); // what is sent to the backend is about as long
        if (!canBeTranslated) throw new ApiError(413, "the body is too large for the memory of this proxy");
        share.hold(bytes.length + length); // both, while one is copied
        byte[] resized = Arrays.copyOf(bytes, (int) length);
        share.hold(length);
        return resized;
    }

    /** Reads what follows a compressed body, and the end of a chunked one: else the server waits for it. */
    private void skipRest(InputStream body) throws IOException {
        if (body.read() < 0) return;
        client.closeAfter();
        var skipped = new byte[SKIP_BYTES];
        while (body.read(skipped) >= 0) { }
    }

    private static ApiError unknownEncoding() {
        return new ApiError(400, "request_body_encoding_unsupported", "gzip or deflate expected");
    }

    private ApiError tooLarge() {
        String code = encoding.equals("identity") ? "" : "request_body_too_large_after_decoding";
        return new ApiError(413, code, "the body is over 32 MB");
    }
}

package serve;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;
import json.Sse;
import json.Text;
import translate.Opaque;

/**
 * What A2o has answered to one request of {@code --check}, whole or as a stream, as far as that looks at it.
 */
final class CheckReply {
    private static final byte[] END = {};
    /** What to do about errors that may pass, by their status. */
    private static final Map<Integer, String> PASSING = Map.of(
            402, "pay for the account, or try again later",
            429, "try again later: a limit of the account is reached",
            504, "try again later, or give it more time by --timeout",
            529, "try again later: it is busy, or still loads its model");
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+"); // also line breaks

    private final int status;
    private final double secondsToHead;
    private final double secondsFromHead;
    private final StringBuilder thinking = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder inputs = new StringBuilder(); // of the calls, one after the other
    private String error = "";
    private String reasoningField = ""; // that the reasoning came in from the backend
    private int calls;
    private int pages; // that searches have found
    private long outputTokens;
    private String stopSequence = ""; // that the text is said to have met

    private CheckReply(int status, double secondsToHead, double secondsFromHead) {
        this.status = status;
        this.secondsToHead = secondsToHead;
        this.secondsFromHead = secondsFromHead;
    }

    /** {@return a reply that has arrived} */
    static CheckReply of(int status, String body, double secondsToHead, double secondsFromHead) {
        var reply = new CheckReply(status, secondsToHead, secondsFromHead);
        if (body.startsWith("{")) {
            reply.readWhole(JsonParser.parse(body));
        } else {
            reply.readEvents(body);
        }
        return reply;
    }

    /** {@return what stands for a reply that has not arrived} */
    static CheckReply missing() {
        var reply = new CheckReply(504, 0, 0);
        reply.error = "no reply in time";
        return reply;
    }

    private void readWhole(Json reply) {
        error = reply.get("error").get("message").text();
        outputTokens = reply.get("usage").get("output_tokens").toLong(0);
        stopSequence = reply.get("stop_sequence").text();
        for (Json block : reply.get("content").items()) {
            readPiece(block);
            if (block.get("type").is("tool_use")) inputs.append(block.get("input").raw());
        }
    }

    private void readEvents(String body) {
        Queue<byte[]> pieces = new ArrayDeque<>(List.of(body.getBytes(StandardCharsets.UTF_8)));
        var events = new Sse(() -> Objects.requireNonNullElse(pieces.poll(), END));
        for (var event = events.next(); event.isPresent(); event = events.next()) {
            readEvent(JsonParser.parse(event.get().data()));
        }
    }

    private void readEvent(Json event) {
        switch (event.get("type").text()) {
            case "content_block_start" -> readPiece(event.get("content_block"));
            case "content_block_delta" -> readPiece(event.get("delta"));
            case "message_delta" -> {
                outputTokens = event.get("usage").get("output_tokens").toLong(0);
                stopSequence = event.get("delta").get("stop_sequence").text();
            }
            case "error" -> error = event.get("error").get("message").text();
            default -> { } // ping, or the beginning or end of what was read
        }
    }

    /** Takes a content block or a delta of one, by the members that it has. */
    private void readPiece(Json piece) {
        if (piece.get("type").is("tool_use")) calls++;
        if (piece.get("type").is("web_search_tool_result")) readSearch(piece.get("content"));
        thinking.append(piece.get("thinking").text());
        text.append(piece.get("text").text());
        inputs.append(piece.get("partial_json").text());
        if (piece.get("signature").hasText()) reasoningField = Opaque.field(piece.get("signature"));
    }

    private void readSearch(Json results) {
        pages += results.items().size();
        if (results.get("error_code").hasText()) error = "search " + results.get("error_code").text();
    }

    int status() { return status; }
    boolean isError() { return status != 200 || !error.isEmpty(); }
    /** {@return what to do if it is an error that may pass, whatever was asked} */
    Optional<String> remedy() { return Optional.ofNullable(PASSING.get(status)); }
    /** {@return whether it says or calls anything, and no error} */
    boolean isGood() { return !isError() && !summary().isEmpty(); }
    boolean hasThinking() { return !thinking.isEmpty(); }
    String text() { return text.toString(); }
    int calls() { return calls; }
    int pages() { return pages; }
    long outputTokens() { return outputTokens; }
    /** {@return the stop sequence that ended it, as the client was told; "" if none has} */
    String stopSequence() { return stopSequence; }
    double secondsToHead() { return secondsToHead; }
    double tokensPerSecond() { return secondsFromHead > 0 ? outputTokens / secondsFromHead : 0; }

    /**
     * {@return what a person would look at, in a line: {@code 404: words}, {@code calls 2: input}, or words}
     */
    String summary() {
        String all = thinking.toString() + inputs + text + error;
        String words = Text.printable(WHITE_SPACE.matcher(all).replaceAll(" ").strip());
        String kind = kind();
        return kind.isEmpty() ? words : kind + ": " + words;
    }

    private String kind() {
        if (status != 200) return Integer.toString(status);
        return calls > 0 ? "calls " + calls : reasoningField;
    }
}

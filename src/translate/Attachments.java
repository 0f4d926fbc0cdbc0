package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import json.Json;

/**
 * The images and documents in the messages of a request, in their order, also those in the results of tools.
 * A document of text is none, as it goes to every backend; but images may be in it.
 *
 * <p>Source: Anthropic Messages, "Vision", "PDF support".
 */
final class Attachments {
    private final List<Attachment> found = new ArrayList<>();
    private int turn;

    private Attachments() { }

    /** {@return those of a request, the newest last} */
    static List<Attachment> of(Request request) {
        var attachments = new Attachments();
        boolean isOfAssistant = false;
        for (Json message : request.get("messages").items()) {
            boolean isNext = message.get("role").is("assistant") != isOfAssistant;
            if (isNext) {
                isOfAssistant = !isOfAssistant;
                attachments.turn++;
            }
            attachments.addAll(message.get("content"));
        }
        return attachments.found;
    }

    private void addAll(Json content) { content.items().forEach(this::add); }

    private void add(Json block) {
        switch (block.get("type").text()) {
            case "image" -> found.add(new Attachment(block, turn));
            case "tool_result" -> addAll(block.get("content"));
            case "document" -> addDocument(block);
            default -> { } // holds neither images nor documents that a backend gets
        }
    }

    private void addDocument(Json block) {
        Json source = block.get("source");
        switch (source.get("type").text()) {
            case "text" -> { } // goes as text
            case "content" -> addAll(source.get("content"));
            default -> found.add(new Attachment(block, turn)); // base64, url
        }
    }

    /** {@return the blocks of images that are more than a backend takes: the oldest ones} */
    static Set<Json> tooMany(Request request, Dialect dialect) {
        Set<Json> oldest = Collections.newSetFromMap(new IdentityHashMap<>());
        if (dialect.mostImages().isEmpty()) return oldest;
        Trait.MostImages most = dialect.mostImages().get();
        List<Attachment> sent = of(request).stream()
                .filter(each -> each.isImage() && !dialect.refusesFile(each)).toList();
        long inMessage = 0;
        int turn = -1; // of those that are counted
        for (Attachment image : sent.reversed()) {
            boolean isOtherMessage = most.isPerMessage() && image.turn() != turn;
            if (isOtherMessage) inMessage = 0;
            turn = image.turn();
            inMessage++;
            if (inMessage > most.images()) oldest.add(image.block());
        }
        return oldest;
    }

    /** {@return those that a request takes to a backend} */
    static List<Attachment> sent(Request request, Dialect dialect) {
        Set<Json> tooMany = tooMany(request, dialect);
        return of(request).stream().filter(each -> dialect.takes(each.part()))
                .filter(each -> !dialect.refusesFile(each) && !tooMany.contains(each.block())).toList();
    }
}

package translate;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a refusal teaches about images and documents in the request: how many are taken, and that one of them
 * is bad. That a model takes none at all is one of {@link Lessons}. Unlike those it looks at what was sent.
 *
 * <pre>
 *  At most 2 image(s) may be provided      the newest two go up
 *  Could not process image                 without the newest; only this one is remembered
 * </pre>
 */
final class FileLessons {
    private static final List<String> IMAGE_WORDS = List.of(Lessons.IMAGE_WORDS);
    private static final List<String> DOCUMENT_WORDS = List.of("pdf", "document", "file", "文件", "文档");
    private static final List<String> NUMBER_WORDS = List.of("too many", "at most", "more than", "up to", "maximum",
            "limit", "exceed", "max ", "passed", "number of", "no more", "最多", "超过", "上限");
    /** As in "supports up to 5 images per message". */
    private static final List<String> PER_MESSAGE =
            List.of("per message", "each message", "one message", "single message", "a message", "每条消息");
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.\\[])\\d{1,3}(?![\\w.])");
    private static final int MOST_ALONE = 3; // new files that are left out one at a time, before all are

    private FileLessons() { }

    /**
     * {@return what a refusal teaches, the likeliest first}
     *
     * @param files that were sent, the newest last
     */
    static List<Lesson.Taught> of(String refusal, List<Attachment> files) {
        if (files.isEmpty()) return List.of();
        Said said = Said.of(refusal);
        List<Lesson.Taught> taught = new ArrayList<>();
        boolean isOfImages = said.says(IMAGE_WORDS);
        boolean isOfDocuments = said.says(DOCUMENT_WORDS);
        if (isOfImages) addNumbers(said, files, taught);
        List<Attachment> meant = files.stream().filter(file -> file.isImage() ? isOfImages : isOfDocuments).toList();
        boolean isImageBad = isOfImages && !Lessons.IMAGES_UNSEEN.isIn(said);
        boolean isDocumentBad = isOfDocuments && !Lessons.DOCUMENTS_UNREAD.isIn(said);
        if (isImageBad || isDocumentBad) addBad(meant, taught);
        return taught;
    }

    /** {@return to leave out both kinds, if both were sent: the last thing to try} */
    static List<Lesson.Taught> ofBothKinds(List<Attachment> files) {
        List<Trait> kinds = files.stream().map(Attachment::part).distinct()
                .<Trait>map(Trait.Omitted::new).toList();
        return kinds.size() < 2 ? List.of() : List.of(new Lesson.Taught(kinds, false));
    }

    /** A limit is lower than the number of images that were sent. */
    private static void addNumbers(Said said, List<Attachment> files, List<Lesson.Taught> taught) {
        boolean isOfNumber = said.says(NUMBER_WORDS) && !said.says(Lessons.BAD_IMAGE);
        if (!isOfNumber) return;
        long sent = files.stream().filter(Attachment::isImage).count();
        boolean isPerMessage = said.says(PER_MESSAGE);
        Stream<Long> bounds = ReplyBounds.in(said.withReplyLimits()).most().stream();
        Stream<Long> others =
                NUMBER.matcher(said.text()).results().map(MatchResult::group).map(Long::valueOf);
        Stream.concat(bounds, others).filter(number -> number > 0 && number < sent).distinct()
                .map(number -> new Trait.MostImages(number, isPerMessage))
                .forEach(most -> taught.add(new Lesson.Taught(most, false)));
    }

    /** Earlier files were taken in earlier turns, so that one of the new ones is likely to be bad. */
    private static void addBad(List<Attachment> files, List<Lesson.Taught> taught) {
        if (files.isEmpty()) return;
        int newest = files.getLast().turn();
        List<Attachment> fresh = files.stream().filter(file -> file.turn() == newest).toList();
        if (fresh.size() <= MOST_ALONE) {
            fresh.reversed().forEach(file -> taught.add(without(List.of(file))));
        }
        taught.add(without(fresh));
        taught.add(without(files));
    }

    private static Lesson.Taught without(List<Attachment> files) {
        List<String> hashes = files.stream().map(Attachment::hash).toList();
        return new Lesson.Taught(new Trait.RefusedFiles(hashes), false);
    }
}

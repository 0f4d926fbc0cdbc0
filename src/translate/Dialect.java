package translate;

import config.Api;
import config.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import json.Json;

/**
 * What a backend takes for a model, where that differs from plain chat completions or plain Responses: the
 * traits in its host's row ({@link Dialects}), and before them those that its own refusals have taught
 * (SPEC, "Learned downgrades"). Immutable, but for the reasoning that the backend could not open.
 *
 * @param unopened of the backend, whatever the model
 */
public record Dialect(Target target, Traits traits, UnopenedReasoning unopened) {
    private static final List<Trait> OF_LLAMA =
            List.of(Trait.Habit.FORCED_TOOL_ALONE, Trait.Habit.BEGUN_REPLY_REPEATED);

    /** {@return what is known of a backend that has not been asked} */
    public static Dialect of(Target target) {
        Map<String, Trait> ofHost = Dialects.of(target, Dialects.api(target));
        return new Dialect(target, new Traits(ofHost), new UnopenedReasoning());
    }

    // What is learned

    /**
     * {@return the dialects to try after a refusal in these words, the likeliest first}
     *
     * @param tools that were sent with the request
     * @param files that were sent
     */
    Stream<Dialect> afterRefusal(String refusal, List<Json> tools, List<Attachment> files) {
        List<Lesson.Taught> ofMembers = ToolLessons.isWithinTool(refusal) ? List.of() : Lessons.of(refusal);
        boolean areParts = ofMembers.stream().anyMatch(Dialect::isOfPart);
        List<Lesson.Taught> ofBoth = areParts ? FileLessons.ofBothKinds(files) : List.of();
        return Stream.of(ToolLessons.of(refusal, tools), FileLessons.of(refusal, files), ofMembers, ofBoth)
                .flatMap(List::stream)
                .filter(taught -> taught.traits().stream().allMatch(this::mayBeTried)).map(this::with);
    }

    private static boolean isOfPart(Lesson.Taught taught) {
        return Stream.of("image_url", "file").map(Trait.Omitted::new).anyMatch(taught.traits()::contains);
    }

    /** {@return whether a refusal says how much room there is for the reply, which changes with each try} */
    public static boolean isRoom(String refusal) { return Lessons.isRoom(refusal); }

    /** {@return false for another API where the URL pins one, or where it has been changed before} */
    private boolean mayBeTried(Trait trait) {
        if (!(trait instanceof Trait.Spoken spoken)) return true;
        boolean isNew = spoken.api() == Api.CHAT || !isLearned(trait);
        return target.pinned().isEmpty() && spoken.api() != api() && isNew;
    }

    /** {@return this, and what was taught} Back in chat, the refusal that has led away from it is heeded there. */
    private Dialect with(Lesson.Taught taught) {
        Dialect known = this;
        for (Trait trait : taught.traits()) {
            boolean isBack = trait instanceof Trait.Spoken && isLearned(trait);
            known = known.with(trait, taught.isForOnce());
            if (isBack) known = known.with(Lessons.NO_REASONING_BESIDE_TOOLS, false);
        }
        return known;
    }

    /** {@return this, and that the backend has not searched where it was asked to} */
    Dialect withoutWebSearch() { return with(Trait.Habit.WEB_SEARCH_REFUSED, false); }

    /** {@return this, and that the backend has said the phase of a message} */
    Dialect withPhases() { return with(Trait.Habit.PHASES_SAID, false); }

    /**
     * {@return this, and that the backend takes stop sequences, as its reply would say which one it has
     * met} Not where the reply has reasoning: the backend would look for them in that too.
     */
    Dialect withStopsNamed(boolean hasReasoned) {
        if (hasReasoned) return takes("stop") ? with(new Trait.Omitted("stop"), false) : this;
        return traits.learned().containsKey("stop") ? this : with(new Trait.Known("stop"), false);
    }

    /** {@return this, and what another dialect of the backend has learned about all its models} */
    public Dialect withLessonsForAllOf(Dialect other) {
        Dialect known = this;
        for (Trait trait : other.traits.learned().values()) {
            if (trait.isForAllModels()) known = known.with(trait, false);
        }
        return known;
    }

    /** {@return this, and what the name tells that a server gives itself in the header {@code server}} */
    public Dialect servedBy(String server) {
        boolean isLlama = server.equals("llama.cpp") && api() != Api.MESSAGES;
        if (!isLlama) return this;
        Dialect known = this;
        for (Trait trait : OF_LLAMA) known = known.with(trait, false);
        return known;
    }

    /** {@return this, and what another dialect of the same backend has learned} */
    public Dialect withLessonsOf(Dialect other) {
        Dialect known = this;
        for (Trait trait : other.traits.learned().values()) known = known.with(trait, false);
        return known;
    }

    private boolean isLearned(Trait trait) { return traits.learned().containsKey(trait.about()); }

    private Dialect with(Trait taught, boolean isOnce) {
        if (has(taught)) return this;
        Trait trait = taught instanceof Trait.RefusedFiles files ? files.after(refusedFiles()) : taught;
        if (isOnce) return new Dialect(target, traits.withOnce(trait), unopened);
        Traits more = traits.withLearned(trait);
        if (trait instanceof Trait.Spoken spoken) more = more.withHost(Dialects.of(target, spoken.api()));
        return new Dialect(target, more, unopened);
    }

    public boolean hasLearned() { return !traits.learned().isEmpty(); }

    /** {@return what was learned, for the log and the status page: what it is about, and what is so} */
    public Map<String, String> learnedWords() {
        Map<String, String> words = new TreeMap<>();
        for (Trait trait : traits.learned().values()) words.put(trait.about(), trait.value());
        return words;
    }

    private Optional<Trait> about(String what) { return traits.about(what); }
    private boolean has(Trait trait) { return traits.has(trait); }
    private <T extends Trait> Optional<T> find(Class<T> kind) { return traits.find(kind); }

    /** {@return the API to ask by} */
    public Api api() { return find(Trait.Spoken.class).map(Trait.Spoken::api).orElse(Api.CHAT); }

    // Members of the request

    /**
     * {@return whether the backend takes a member, or a kind of part in a message} It may have been
     * refused by its usual name, or by the one that it has at this backend.
     */
    boolean takes(String member) {
        String name = name(member);
        boolean isOmittedByName = !name.equals(member) && isOmitted(name);
        return !isOmittedByName && !isOmitted(member);
    }

    private boolean isOmitted(String name) {
        Optional<Trait> known = about(name);
        return known.isPresent() && known.get() instanceof Trait.Omitted;
    }

    /** {@return what a member is called at this backend, if it takes it} */
    String name(String member) {
        Optional<Trait> known = about(member);
        if (known.isPresent() && known.get() instanceof Trait.Named named) return named.wireName();
        return member;
    }

    /** {@return whether all messages of the assistant's must have the member} */
    boolean requires(String member) { return has(new Trait.Required(member)); }

    // Values of members

    Trait.Thinking thinking() { return find(Trait.Thinking.class).orElse(Trait.Thinking.OBJECT); }
    Trait.EffortForm effortForm() { return find(Trait.EffortForm.class).orElse(Trait.EffortForm.STRING); }

    /** {@return the effort to send for the one that is asked for, if any} */
    Optional<String> effort(Optional<String> asked) {
        Map<String, String> instead = find(Trait.EffortsInstead.class)
                .map(Trait.EffortsInstead::byAsked).orElse(Map.of());
        Optional<String> wanted = asked.map(effort -> instead.getOrDefault(effort, effort));
        Optional<Trait.Efforts> efforts = find(Trait.Efforts.class);
        return efforts.isEmpty() ? wanted : efforts.get().nearest(wanted);
    }

    /** {@return the number of tokens to ask for, where the client asks for so many} */
    long replyTokens(long asked) {
        long longest = find(Trait.LongestReply.class).map(Trait.LongestReply::tokens).orElse(asked);
        long shortest = find(Trait.ShortestReply.class).map(Trait.ShortestReply::tokens).orElse(0L);
        return Math.max(Math.min(asked, longest), shortest);
    }

    /** {@return the most images that the backend takes, if there is a limit} */
    Optional<Trait.MostImages> mostImages() { return find(Trait.MostImages.class); }

    private Trait.RefusedFiles refusedFiles() {
        return find(Trait.RefusedFiles.class).orElse(new Trait.RefusedFiles(List.of()));
    }

    /** {@return whether the backend has refused this image or document} */
    boolean refusesFile(Attachment file) {
        List<String> refused = refusedFiles().hashes();
        return !refused.isEmpty() && refused.contains(file.hash());
    }

    /** {@return the id of a tool call, as the backend takes it} */
    Json.Str callId(Json.Str id) {
        return find(Trait.Ids.class).map(ids -> ids.form().fitted(id)).orElse(id);
    }

    /** {@return whether the backend has refused this tool with this schema} */
    boolean refuses(Json tool) {
        if (find(Trait.RefusedTool.class).isEmpty()) return false; // mostly
        String what = Trait.RefusedTool.about(tool.get("name").text());
        return about(what).filter(trait -> trait.equals(Trait.RefusedTool.of(tool))).isPresent();
    }

    int mostTools() { return find(Trait.MostTools.class).map(Trait.MostTools::count).orElse(Integer.MAX_VALUE); }

    /** {@return the longest description that a tool may have, in characters, if there is a limit} */
    Optional<Integer> longestDescription() {
        return find(Trait.LongestDescription.class).map(Trait.LongestDescription::characters);
    }

    // Ways to say something

    boolean takesSystem() { return !has(Trait.Habit.SYSTEM_NEVER); }
    boolean alwaysReasons() { return has(Trait.Habit.ALWAYS_REASONS); }
    boolean takesEffortWithTools() { return !has(Trait.Habit.NO_EFFORT_WITH_TOOLS); }

    /** {@return whether the backend takes a format of the output; if not, the prompt says it} */
    boolean takesFormat(boolean isWithTools) {
        boolean isExcluded = isWithTools && has(Trait.Habit.NO_FORMAT_WITH_TOOLS);
        return takes("response_format") && !isExcluded;
    }


    /** {@return whether to ask for a stream, where the client wants one or not} */
    boolean isStreamed(boolean wanted) {
        if (has(Trait.Habit.ALWAYS_STREAMED)) return true;
        return wanted && !has(Trait.Habit.NEVER_STREAMED);
    }

    boolean takesSystemInPlace() { return has(Trait.Habit.SYSTEM_IN_PLACE) || has(Trait.Habit.SYSTEM_AS_DEVELOPER); }
    /** {@return the role of a system message that stands in place} */
    String systemRole() { return has(Trait.Habit.SYSTEM_AS_DEVELOPER) ? "developer" : "system"; }
    boolean hostsWebSearch() { return has(Trait.Habit.WEB_SEARCH_HOSTED); }
    /** {@return whether the backend may search, though that is not sure} */
    boolean mayHostWebSearch() { return has(Trait.Habit.WEB_SEARCH_TRIED); }
    boolean saysPhases() { return has(Trait.Habit.PHASES_SAID); }
    boolean showsSummaries() { return !has(Trait.Habit.SUMMARIES_REFUSED); }
    boolean takesFilesInOutputs() { return !has(Trait.Habit.FILES_IN_NEXT_MESSAGE); }

    /**
     * {@return whether a ciphertext of reasoning is to go back} Where the backend could not open one of
     * this request's, all of them are remembered, and none goes back any more.
     */
    boolean wantsBack(String encrypted) {
        if (has(Trait.Habit.REASONING_UNOPENED)) unopened.add(encrypted);
        boolean isLeftOut = has(Trait.Habit.REASONING_LEFT_OUT) || unopened.contains(encrypted);
        return takes("encrypted_content") && takes("reasoning") && !isLeftOut;
    }

    /** {@return whether reasoning that is not sealed is to go back} */
    boolean wantsReasoningText() {
        return takes(Envelope.REASONING_TEXT) && takes("reasoning") && !has(Trait.Habit.REASONING_LEFT_OUT);
    }

    boolean wantsPlainSchemas() { return has(Trait.Habit.PLAIN_SCHEMAS); }
    boolean hasLostThinking() { return has(Trait.Habit.THINKING_LOST); }
    boolean forcesToolAlone() { return has(Trait.Habit.FORCED_TOOL_ALONE); }
    boolean refusesNullContent() { return has(Trait.Habit.EMPTY_CONTENT); }
    boolean repeatsBegunReply() { return has(Trait.Habit.BEGUN_REPLY_REPEATED); }
    /** {@return whether the key goes as {@code api-key: K}, not as {@code authorization: Bearer K}} */
    public boolean takesApiKeyHeader() { return has(Trait.Habit.API_KEY_HEADER); }
}

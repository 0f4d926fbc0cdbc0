package translate;

import java.util.List;

/** What has come of one search that A2o has made. */
public sealed interface SearchAnswer {
    /** The pages, the best first; there may be none. */
    record Found(List<FoundPage> pages) implements SearchAnswer { }

    record Failed(SearchFailure why) implements SearchAnswer { }
}

package translate;

import java.util.Optional;

/**
 * A page that a search service has found.
 *
 * @param age     when it was written, in the service's words
 * @param excerpt of its text; "" if the service gives none
 */
public record FoundPage(String url, String title, Optional<String> age, String excerpt) { }

package translate;

/**
 * Counts of the searches that A2o has made in one reply.
 *
 * @param rounds requests to the backend that ended in searches
 * @param asked  searches that a service was asked for
 * @param found  those that it has answered
 */
record SearchCounts(int rounds, int asked, int found) {
    private static final int MAX_ROUNDS = 10; // requests to the backend; Anthropic's servers make as many
    private static final int MAX_SEARCHES = 20; // whatever the client allows
    static final SearchCounts NONE = new SearchCounts(0, 0, 0);

    /** {@return whether the reply may go on after another round of searches} */
    boolean allowRound() { return rounds + 1 < MAX_ROUNDS; }

    /** {@return whether another search may be made} */
    boolean allowSearch(long maxUses) { return asked < Math.min(maxUses, MAX_SEARCHES); }

    SearchCounts plusAsked() { return new SearchCounts(rounds, asked + 1, found); }
    SearchCounts plusRound(int more) { return new SearchCounts(rounds + 1, asked, found + more); }
}

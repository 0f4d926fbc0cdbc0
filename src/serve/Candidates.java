package serve;

import anthropic.ApiError;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import upstream.Upstream;

/**
 * The backends at which one request is tried, in turn. Those that cannot take it are left out: an API of
 * OpenAI's has no place for MCP servers, which Anthropic's own has. Used by one thread.
 */
final class Candidates {
    private final ClientRequest request;
    private final List<Upstream> upstreams; // in the order to try them
    private final Set<Upstream> lacking = new HashSet<>(); // what the request is for, as they have said
    private boolean doesLastAnswerHere;

    Candidates(ClientRequest request, List<Upstream> inOrder) {
        this.request = request;
        this.upstreams = new ArrayList<>(inOrder);
    }

    Upstream first() { return upstreams.getFirst(); }
    boolean areSeveral() { return upstreams.size() > 1; }
    boolean isAnyLeft(int tries) { return tries < upstreams.size(); }

    /**
     * {@return the request for the first backend that can take it} A search in the web goes first to one that
     * can make it.
     *
     * @throws ApiError if none can take it
     */
    ClientRequest.Translated translateForFirst() {
        while (true) {
            try {
                ClientRequest.Translated first = request.translate(first());
                boolean mayOthersDo = first.conversation().isBeyondBackend() && areSeveral();
                return mayOthersDo && moveToFront() ? request.translate(first()) : first;
            } catch (ApiError e) {
                boolean mayNextDo = e.isMissingThere() && areSeveral();
                if (!mayNextDo) throw e;
                upstreams.removeFirst();
            }
        }
    }

    /** Moves those to the front that can do what the first cannot. {@return whether there are any} */
    private boolean moveToFront() {
        List<Upstream> able = upstreams.stream().filter(each -> translated(each)
                .filter(found -> !found.conversation().isBeyondBackend()).isPresent()).toList();
        upstreams.removeAll(able);
        upstreams.addAll(0, able);
        doesLastAnswerHere = !able.isEmpty();
        return doesLastAnswerHere;
    }

    /** {@return the request for a backend, if that can take it} */
    private Optional<ClientRequest.Translated> translated(Upstream upstream) {
        try {
            return Optional.of(request.translate(upstream));
        } catch (ApiError e) {
            return Optional.empty();
        }
    }

    /** Leaves out those of the next that cannot take the request, once so many have been tried. */
    void leaveOutUnable(int tries) {
        while (isAnyLeft(tries) && translated(upstreams.get(tries)).isEmpty()) upstreams.remove(tries);
    }

    /** {@return whether the next may do better, whatever the error of this one} */
    boolean mayNextDo(ApiError error, int tries) {
        boolean isOfThisOne = error.isMissingThere() || doesLastAnswerHere || Upstream.isWorthRetry(error);
        return isOfThisOne && isAnyLeft(tries);
    }

    /** A backend has said that it does not have what the request is for. */
    void noteLacking(Upstream upstream) { lacking.add(upstream); }

    /** {@return the next backend in turn, without those that do not have the model} */
    Upstream next(int tries) {
        Upstream inTurn = upstreams.get(tries % upstreams.size());
        return IntStream.range(tries, tries + upstreams.size())
                .mapToObj(i -> upstreams.get(i % upstreams.size()))
                .filter(each -> !lacking.contains(each)).findFirst().orElse(inTurn);
    }
}

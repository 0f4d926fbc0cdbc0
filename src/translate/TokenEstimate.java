package translate;

import anthropic.Usage;
import java.util.OptionalLong;
import json.JsonWriter;

/** The tokens that one request takes, estimated when somebody asks, and what the backend's count teaches. */
final class TokenEstimate {
    private final JsonWriter openai; // the request; empty once it is forgotten
    private final Calibration calibration;
    private OptionalLong whole = OptionalLong.empty(); // by all bytes, once that is known; not calibrated
    private OptionalLong rough = OptionalLong.empty(); // the same, by samples

    TokenEstimate(JsonWriter openai, Calibration calibration) {
        this.openai = openai;
        this.calibration = calibration;
    }

    /** {@return an estimate by all bytes} */
    long whole() {
        if (whole.isEmpty()) whole = OptionalLong.of(Tokens.of(openai.buffer(), openai.size()));
        return calibration.whole(whole.getAsLong());
    }

    /** {@return a quicker estimate, by samples} */
    long rough() {
        if (rough.isEmpty()) rough = OptionalLong.of(Tokens.rough(openai.buffer(), openai.size()));
        return calibration.rough(rough.getAsLong());
    }

    boolean isKnown() { return whole.isPresent(); }

    /** Learns from what the backend has counted, if it has. */
    void learn(Usage counted) {
        if (counted.prompt() == 0) return;
        boolean isWorthIt = calibration.needsWhole() && !openai.isEmpty();
        if (isWorthIt) whole();
        whole.ifPresent(estimate -> calibration.learnWhole(estimate, counted.prompt()));
        rough.ifPresent(estimate -> calibration.learnRough(estimate, counted.prompt()));
        OptionalLong best = whole.isPresent() ? whole : rough;
        best.ifPresent(estimate -> calibration.addToSums(estimate, counted.prompt()));
    }
}

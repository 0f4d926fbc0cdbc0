package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import testing.HeldClock;

/** How a backend does, by its tries, by connections without one, and by the time that passes. */
class HealthTest {
    private static final Health.Failure FAILURE = new Health.Failure(1, 503, "why");

    private final HeldClock clock = new HeldClock();
    private final Health health = new Health(clock);

    private long fails(Health.Kind kind) {
        health.begin();
        return health.noteFailure(kind, FAILURE, kind != Health.Kind.REFUSED);
    }

    private boolean works() { return health.noteSuccess(health.begin()).isPresent(); }

    private void assertIs(Health.State state, boolean isDown, boolean isAside) {
        assertEquals(state + " " + isDown + " " + isAside,
                health.state() + " " + health.isDown() + " " + health.isAside());
    }

    @Test
    void beforeTheFirstTryItIsReady() {
        assertIs(Health.State.READY, false, false);
        assertEquals(Optional.empty(), health.lastFailure());
        assertFalse(works(), "no news");
    }

    @Test
    void whoseLastTryFailedIsNotReadyUntilOneGoesWell() {
        fails(Health.Kind.BROKEN);
        assertIs(Health.State.SET_ASIDE, true, true);
        clock.passes(1000);
        assertIs(Health.State.FAILING, true, false);
        clock.passes(1_000_000);
        assertIs(Health.State.FAILING, true, false);
        assertTrue(works());
        assertIs(Health.State.READY, false, false);
        assertFalse(works(), "no news");
        assertEquals(Optional.of(FAILURE), health.lastFailure(), "it is still known");
    }

    @Test
    void whatIsDeniedComesFromABackendThatIsUp() {
        fails(Health.Kind.DENIED);
        assertIs(Health.State.SET_ASIDE, false, true);
        clock.passes(1000);
        assertIs(Health.State.FAILING, false, false);
    }

    @Test
    void whoRefusesARequestWorks() {
        fails(Health.Kind.BROKEN);
        clock.passes(1000);
        assertEquals(0, fails(Health.Kind.REFUSED));
        assertIs(Health.State.READY, false, false);
    }

    @Test
    void itIsSetAsideForATimeThatGrowsUntilItWorks() {
        for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 60, 60}) {
            assertEquals(seconds, fails(Health.Kind.BROKEN));
            assertEquals(0, fails(Health.Kind.BROKEN), "it is aside already");
            clock.passes(seconds * 1000 - 1);
            assertTrue(health.isAside());
            clock.passes(1);
            assertFalse(health.isAside());
        }
        works();
        assertEquals(1, fails(Health.Kind.BROKEN));
    }

    @Test
    void aTryThatBeganBeforeAFailureSaysNothingOfNow() {
        long older = health.begin();
        fails(Health.Kind.BROKEN);
        assertEquals(Optional.empty(), health.noteSuccess(older));
        health.noteAnswer(older);
        assertIs(Health.State.SET_ASIDE, true, true);
        assertTrue(works());
        assertIs(Health.State.READY, false, false);
    }

    @Test
    void anAnswerShowsThatItIsUpBeforeItIsWhole() {
        fails(Health.Kind.UNCONNECTED);
        health.noteAnswer(health.begin());
        assertIs(Health.State.UNREACHABLE, false, true);
    }

    @Test
    void aConnectionMendsWhatWasNothingButThat() {
        fails(Health.Kind.UNCONNECTED);
        assertIs(Health.State.UNREACHABLE, true, true);
        assertTrue(health.noteConnection());
        assertIs(Health.State.READY, false, false);
        assertFalse(health.noteConnection(), "no news");
        assertEquals(2, fails(Health.Kind.UNCONNECTED), "no request has gone well meanwhile");
    }

    @Test
    void aConnectionMakesABrokenOneReachableButNotReady() {
        fails(Health.Kind.BROKEN);
        assertFalse(health.noteConnection());
        assertIs(Health.State.SET_ASIDE, false, true);
    }
}

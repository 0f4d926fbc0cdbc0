package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import anthropic.ApiError;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.Test;
import testing.HeldClock;
import testing.Tasks;
import upstream.Clock;

class BudgetTest {
    private static void assertRefused(Budget.Share share, long bytes) {
        ApiError error = assertThrows(ApiError.class, () -> share.hold(bytes));
        assertEquals("529 1 too much in flight for the memory of this proxy",
                "%d %d %s".formatted(error.status(), error.retrySeconds(), error.getMessage()));
    }

    /** A clock by which each wait takes as long as it may, in no time. */
    private static final class QuickClock implements Clock {
        private long now;

        @Override
        public long nanos() {
            return now;
        }

        @Override
        public void await(Condition signal, long nanos) {
            now += nanos;
        }
    }

    /** {@return a budget for which no room can be made} */
    private static Budget full(long total) {
        return new Budget(total, () -> { }, new QuickClock());
    }

    @Test
    void aShareIsTwiceWhatItLeavesAtMost() {
        var budget = full(900);
        try (Budget.Share one = budget.share(); Budget.Share other = budget.share()) {
            assertTrue(one.mayHold(600));
            assertFalse(one.mayHold(601));
            assertRefused(one, 601);
            one.hold(600);
            assertRefused(other, 201);
            other.hold(200);
            assertEquals(List.of(600L, 200L), List.of(one.held(), other.held()));
        }
    }

    @Test
    void whenLargeOnesHaveTakenAllTheyCanASmallOneFindsRoom() {
        var budget = full(1000);
        List<Budget.Share> large = new ArrayList<>();
        Budget.Share refused = budget.share();
        for (int i = 0; i < 9; i++) {
            large.add(budget.share());
            large.getLast().hold(100);
        }
        assertRefused(refused, 100);
        try (Budget.Share small = budget.share()) {
            small.hold(50);
        }
        large.forEach(Budget.Share::close);
        refused.hold(600);
    }

    @Test
    void anEighthIsForSmallOnes() {
        int megabyte = 1024 * 1024;
        var budget = full(80 * megabyte);
        Budget.Share large = budget.share();
        for (int i = 0; i < 69; i++) budget.share().hold(megabyte);
        assertRefused(large, 2 * megabyte);
        for (int i = 0; i < 21; i++) budget.share().hold(megabyte / 2);
        assertRefused(budget.share(), megabyte / 2);
    }

    @Test
    void whatIsGivenBackIsTakenByThoseWhoWait() throws Exception {
        var waits = new CountDownLatch(1);
        var budget = new Budget(900, waits::countDown, new HeldClock());
        Budget.Share one = budget.share();
        one.hold(600);
        FutureTask<Void> other = Tasks.begin(() -> budget.share().hold(300));
        Tasks.await(waits);
        one.close();
        Tasks.outcome(other);
    }

    @Test
    void roomIsMadeWhereThereIsNone() {
        var asked = new AtomicInteger();
        Budget.Share[] slow = new Budget.Share[1];
        var budget = new Budget(900, () -> {
            if (asked.incrementAndGet() == 3) slow[0].close();
        }, new QuickClock());
        slow[0] = budget.share();
        slow[0].hold(600);
        budget.share().hold(500);
        assertEquals(3, asked.get());
    }
}

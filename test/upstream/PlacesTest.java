package upstream;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PlacesTest {
    @Test
    void requestsForWholeRepliesLeaveAQuarterToStreams() throws Exception {
        var places = new Places(8, SystemClock.INSTANCE);
        for (int i = 0; i < 6; i++) assertTrue(places.tryAcquire(false, 0));
        assertFalse(places.tryAcquire(false, 0));
        for (int i = 0; i < 2; i++) assertTrue(places.tryAcquire(true, 0));
        assertFalse(places.tryAcquire(true, 0));
        places.release(false);
        assertTrue(places.tryAcquire(true, 0));
        assertFalse(places.tryAcquire(false, 0), "that place is a stream's now");
        places.release(true);
        assertTrue(places.tryAcquire(false, 0));
    }

    @Test
    void ofAFewPlacesNoneIsLeftOut() throws Exception {
        var places = new Places(1, SystemClock.INSTANCE);
        assertTrue(places.tryAcquire(false, 0));
        assertFalse(places.tryAcquire(true, 0));
        places.release(false);
        assertTrue(places.tryAcquire(true, 0));
    }
}

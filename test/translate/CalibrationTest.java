package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** What is made of a backend's counts. */
class CalibrationTest {
    @Test
    void untilSomethingIsCountedAnEstimateStands() {
        var calibration = new Calibration();
        assertEquals(1000, calibration.whole(1000));
        assertEquals(1000, calibration.rough(1000));
    }

    @Test
    void aCountGoesForAllSizesUntilTheyHaveTheirOwn() {
        var calibration = new Calibration();
        calibration.learnWhole(10_000, 12_000);
        assertEquals(12_000, calibration.whole(10_000));
        assertEquals(120, calibration.whole(100));
        assertEquals(120_000, calibration.whole(100_000));
        calibration.learnWhole(100_000, 90_000);
        assertEquals(90_000, calibration.whole(100_000));
        assertEquals(12_000, calibration.whole(10_000));
        assertEquals(180_000, calibration.whole(200_000)); // the nearer one
        assertEquals(1_000, calibration.rough(1_000)); // which is another estimate
    }

    @Test
    void newerCountsWeighMore() {
        var calibration = new Calibration();
        calibration.learnRough(10_000, 10_000);
        calibration.learnRough(10_000, 11_000);
        assertEquals(10_700, calibration.rough(10_000));
        for (int i = 0; i < 10; i++) calibration.learnRough(10_000, 12_000);
        assertEquals(12_000, calibration.rough(10_000));
    }

    /** A backend that cuts the prompt to its window, or leaves out what it has cached, says nothing of its tokenizer. */
    @Test
    void whatNoTokenizerCountsIsNotLearned() {
        var calibration = new Calibration();
        calibration.learnWhole(10_000, 4_096);
        calibration.learnWhole(10_000, 20_001);
        assertEquals(10_000, calibration.whole(10_000));
        calibration.learnWhole(10_000, 5_000);
        assertEquals(5_000, calibration.whole(10_000));
    }
}

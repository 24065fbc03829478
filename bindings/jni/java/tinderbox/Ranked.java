package tinderbox;

/** An item and its score, or what feedback on an item does to the score that is explained. */
public final class Ranked {
    public final int item;
    public final float score;

    Ranked(int item, float score) {
        this.item = item;
        this.score = score;
    }
}

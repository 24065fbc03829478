package tinderbox;

import java.nio.ByteBuffer;

/**
 * One user. Collect feedback with {@link #like}, {@link #dislike} and {@link #rate}, then {@link #adapt()}. One thread at a
 * time. Nothing in it needs to be saved: keep what the user said, by id, and say it again.
 */
public final class Session {
    private static final int INTERACTION = 8, RANKED = 8;
    private static final int LIKE = 0, DISLIKE = 1, RATING = 2;
    private static final Filter ALL = new Filter();

    private final Model model;
    private final ByteBuffer memory;
    private final ByteBuffer support;
    private int said;
    private ByteBuffer rows, scales; // borrowed by the engine

    /** Of up to {@code capacity} interactions. */
    public Session(Model model, int capacity) {
        this.model = model;
        memory = Native.memory(Native.sessionSize(model.memory, capacity));
        support = Native.memory((long) INTERACTION * capacity);
        Native.check(Native.newSession(model.memory, memory));
    }

    public void like(int item) {
        say(item, LIKE, 0);
    }

    public void dislike(int item) {
        say(item, DISLIKE, 0);
    }

    /** On the scale that the model was trained on. */
    public void rate(int item, float rating) {
        say(item, RATING, rating);
    }

    /** Forgets the feedback, for a list that is said anew. */
    public void forget() {
        said = 0;
    }

    /** Adapts to all that was said since {@link #forget}. */
    public void adapt() {
        Native.check(Native.adapt(memory, support, said));
    }

    public void setFeatures(int... userFeatures) {
        Native.check(Native.setFeatures(memory, Native.ints(userFeatures)));
    }

    /** Ranks these with the catalogue; direct buffers, items x dim bytes and items floats. */
    public void addItems(ByteBuffer rows, ByteBuffer scales) {
        Native.check(Native.addItems(memory, rows, scales, model.dim()));
        this.rows = rows;
        this.scales = scales;
    }

    public Ranked[] rank(int top) {
        return rank(top, ALL);
    }

    public Ranked[] rank(int top, Filter filter) {
        return ranked(-1, top, filter);
    }

    /** The items nearest to this one. */
    public Ranked[] similar(int item, int top, Filter filter) {
        return ranked(item, top, filter);
    }

    /** The best candidates in an order that trades relevance (0) for variety (1). */
    public Ranked[] rankDiverse(int top, int candidates, float diversity, Filter filter) {
        ByteBuffer out = Native.memory((long) RANKED * candidates);
        ByteBuffer scratch = Native.memory(Native.rankDiverseSize(model.memory, candidates));
        return list(out, Native.rankDiverse(memory, top, diversity, scratch, Native.ints(filter.allow), Native.ints(filter.deny), Native.ints(filter.categories), filter.keepSupport, out));
    }

    public float score(int item) {
        ByteBuffer score = Native.memory(4);
        Native.check(Native.score(memory, item, score));
        return score.getFloat(0);
    }

    /** Which feedback raised the item, and by how much, the strongest first. */
    public Ranked[] explain(int item, int top) {
        ByteBuffer out = Native.memory((long) RANKED * top);
        return list(out, Native.explain(memory, item, out));
    }

    /** The adapted user embedding, dim floats. */
    public ByteBuffer user() {
        ByteBuffer user = Native.memory(4L * model.dim());
        Native.check(Native.user(memory, user));
        return user;
    }

    /** The feedback level of what was said last: what {@link Model#embedItem} wants of a rater. */
    public byte lastLevel() {
        return support.get(INTERACTION * (said - 1) + 4);
    }

    private void say(int item, int feedback, float rating) {
        Native.check(Native.interact(model.memory, item, feedback, rating, support, said));
        said++;
    }

    private Ranked[] ranked(int similar, int top, Filter filter) {
        ByteBuffer out = Native.memory((long) RANKED * top);
        return list(out, Native.rank(memory, similar, Native.ints(filter.allow), Native.ints(filter.deny), Native.ints(filter.categories), filter.keepSupport, out));
    }

    private static Ranked[] list(ByteBuffer out, int len) {
        Native.check(Math.max(0, -len));
        Ranked[] list = new Ranked[len];
        for (int at = 0; at < len; at++) {
            list[at] = new Ranked(out.getInt(RANKED * at), out.getFloat(RANKED * at + 4));
        }
        return list;
    }
}

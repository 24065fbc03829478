package tinderbox;

import java.lang.ref.Reference;
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
        Reference.reachabilityFence(this);
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
        int status = Native.adapt(memory, support, said);
        Reference.reachabilityFence(this); // else the file could be unmapped meanwhile, here as below
        Native.check(status);
    }

    public void setFeatures(int... userFeatures) {
        int status = Native.setFeatures(memory, Native.ints(userFeatures));
        Reference.reachabilityFence(this);
        Native.check(status);
    }

    /** Ranks these with the catalogue; direct buffers, items x dim bytes and items floats. */
    public void addItems(ByteBuffer rows, ByteBuffer scales) {
        int status = Native.addItems(memory, rows, scales, model.dim());
        Reference.reachabilityFence(this);
        Native.check(status);
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
        int len = Native.rankDiverse(memory, top, diversity, scratch, Native.ints(filter.allow), Native.ints(filter.deny), Native.ints(filter.categories), filter.keepSupport, out);
        Reference.reachabilityFence(this);
        return list(out, len);
    }

    public float score(int item) {
        ByteBuffer score = Native.memory(4);
        int status = Native.score(memory, item, score);
        Reference.reachabilityFence(this);
        Native.check(status);
        return score.getFloat(0);
    }

    /** Which feedback raised the item, and by how much, the strongest first. */
    public Ranked[] explain(int item, int top) {
        ByteBuffer out = Native.memory((long) RANKED * top);
        int len = Native.explain(memory, item, out);
        Reference.reachabilityFence(this);
        return list(out, len);
    }

    /** The adapted user embedding, dim floats. */
    public ByteBuffer user() {
        ByteBuffer user = Native.memory(4L * model.dim());
        int status = Native.user(memory, user);
        Reference.reachabilityFence(this);
        Native.check(status);
        return user;
    }

    /** The feedback level of what was said last: what {@link Model#embedItem} wants of a rater. */
    public byte lastLevel() {
        return support.get(INTERACTION * (said - 1) + 4);
    }

    private void say(int item, int feedback, float rating) {
        int status = Native.interact(model.memory, item, feedback, rating, support, said);
        Reference.reachabilityFence(this);
        Native.check(status);
        said++;
    }

    private Ranked[] ranked(int similar, int top, Filter filter) {
        ByteBuffer out = Native.memory((long) RANKED * top);
        int len = Native.rank(memory, similar, Native.ints(filter.allow), Native.ints(filter.deny), Native.ints(filter.categories), filter.keepSupport, out);
        Reference.reachabilityFence(this);
        return list(out, len);
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

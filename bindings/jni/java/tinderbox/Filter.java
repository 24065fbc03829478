package tinderbox;

/** Which items a ranking may contain; as it is, every item but those of the support. Arrays ascend. */
public final class Filter {
    /** Only these; null: all. */
    public int[] allow;
    public int[] deny = {};
    /** Only items in at least one of these; none: whatever the category. */
    public int[] categories = {};
    public boolean keepSupport;
}

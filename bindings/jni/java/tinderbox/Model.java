package tinderbox;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A model file, opened: constant, for any number of threads. It borrows the file's bytes, a direct buffer whose address is
 * a multiple of 8: {@code FileChannel.map} gives one, of an Android asset too if it is stored uncompressed and aligned.
 */
public final class Model {
    private static final int ABI_VERSION = 1;
    private static final int ABSENT = 8;
    private static final int UNKNOWN_ID = 40;
    private static final int ID = 0, TITLE = 1, CATEGORY = 2, ITEM_FEATURE = 3, USER_FEATURE = 4, CARD = 5;

    final ByteBuffer memory;
    private final ByteBuffer file; // kept from the collector
    private final ByteBuffer shape = Native.memory(40);

    public Model(ByteBuffer file) {
        if (Native.abiVersion() != ABI_VERSION) {
            throw new IllegalStateException("the native library is of another version");
        }
        this.file = file;
        memory = Native.memory(Native.modelSize());
        Native.check(Native.open(file, memory));
        Native.check(Native.shape(memory, shape));
        Reference.reachabilityFence(this);
    }

    /** Checks every byte of the file. */
    public void verify() {
        int status = Native.verify(memory);
        Reference.reachabilityFence(this); // else the file could be unmapped meanwhile, here as below
        Native.check(status);
    }

    public int items() {
        return shape.getInt(8);
    }

    public int dim() {
        return shape.getInt(12);
    }

    public String id(int item) {
        return text(ID, item);
    }

    /** Null where the item has none. */
    public String title(int item) {
        return text(TITLE, item);
    }

    public String category(int category) {
        return text(CATEGORY, category);
    }

    /** A JSON object. */
    public String card() {
        return text(CARD, 0);
    }

    /** The item with this id, or -1. */
    public int item(String id) {
        ByteBuffer number = Native.memory(4);
        int status = find(ID, id, number);
        if (status == UNKNOWN_ID) {
            return -1;
        }
        Native.check(status);
        return number.getInt(0);
    }

    public int category(String name) {
        return find(CATEGORY, name);
    }

    public int itemFeature(String name) {
        return find(ITEM_FEATURE, name);
    }

    public int userFeature(String name) {
        return find(USER_FEATURE, name);
    }

    /** Items to show a new user first, best first. */
    public int[] onboarding() {
        int[] items = Native.onboarding(memory);
        Reference.reachabilityFence(this);
        return items;
    }

    /** Writes the row of an item that training never saw, dim bytes, and returns its scale. */
    public float embedItem(int[] itemFeatures, ByteBuffer row) {
        return embedItem(itemFeatures, null, null, row);
    }

    /** The same with first raters: users, raters x dim as {@link Session#user()}; levels, what each said. */
    public float embedItem(int[] itemFeatures, ByteBuffer users, byte[] levels, ByteBuffer row) {
        ByteBuffer scale = Native.memory(4);
        ByteBuffer said = levels == null ? null : Native.bytes(levels);
        ByteBuffer scratch = levels == null ? null : Native.memory(Native.adaptItemSize(memory, levels.length));
        int status = Native.embedItem(memory, Native.ints(itemFeatures), users, said, scratch, row, scale);
        Reference.reachabilityFence(this);
        Native.check(status);
        return scale.getFloat(0);
    }

    private int find(int which, String name) {
        ByteBuffer number = Native.memory(4);
        Native.check(find(which, name, number));
        return number.getInt(0);
    }

    private int find(int which, String name, ByteBuffer number) {
        int status = Native.find(memory, which, Native.bytes(name.getBytes(StandardCharsets.UTF_8)), number);
        Reference.reachabilityFence(this);
        return status;
    }

    private String text(int which, int number) {
        int[] status = {0};
        byte[] bytes = Native.text(memory, which, number, status);
        Reference.reachabilityFence(this);
        if (status[0] == ABSENT) {
            return null;
        }
        Native.check(status[0]);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

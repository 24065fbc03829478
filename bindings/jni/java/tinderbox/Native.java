package tinderbox;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The functions of tinderbox_jni.c. Buffers are direct and in native order; each belongs to one thread at a time. */
final class Native {
    static {
        System.loadLibrary("tinderbox_jni");
    }

    private Native() {}

    static native int abiVersion();
    static native String statusText(int status);
    static native int modelSize();
    static native int open(ByteBuffer file, ByteBuffer memory);
    static native int verify(ByteBuffer model);
    static native int shape(ByteBuffer model, ByteBuffer shape);
    static native byte[] text(ByteBuffer model, int which, int number, int[] status);
    static native int find(ByteBuffer model, int which, ByteBuffer name, ByteBuffer number);
    static native int[] onboarding(ByteBuffer model);
    static native int interact(ByteBuffer model, int item, int feedback, float rating, ByteBuffer support, int place);
    static native long sessionSize(ByteBuffer model, int capacity);
    static native int newSession(ByteBuffer model, ByteBuffer memory);
    static native int adapt(ByteBuffer session, ByteBuffer support, int len);
    static native int setFeatures(ByteBuffer session, ByteBuffer features);
    static native int addItems(ByteBuffer session, ByteBuffer rows, ByteBuffer scales, int dim);
    static native int embedItem(ByteBuffer model, ByteBuffer features, ByteBuffer users, ByteBuffer levels, ByteBuffer memory, ByteBuffer row, ByteBuffer scale);
    static native long adaptItemSize(ByteBuffer model, int raters);
    static native int user(ByteBuffer session, ByteBuffer out);
    static native int rank(ByteBuffer session, int similar, ByteBuffer allow, ByteBuffer deny, ByteBuffer categories, boolean keep, ByteBuffer out);
    static native long rankDiverseSize(ByteBuffer model, int candidates);
    static native int rankDiverse(ByteBuffer session, int top, float diversity, ByteBuffer memory, ByteBuffer allow, ByteBuffer deny, ByteBuffer categories, boolean keep, ByteBuffer out);
    static native int score(ByteBuffer session, int item, ByteBuffer out);
    static native int explain(ByteBuffer session, int item, ByteBuffer out);

    /** Memory for handles, arrays and results. */
    static ByteBuffer memory(long bytes) {
        return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
    }

    /** Null stays null. */
    static ByteBuffer ints(int[] values) {
        if (values == null) {
            return null;
        }
        ByteBuffer buffer = memory(4L * values.length);
        buffer.asIntBuffer().put(values);
        return buffer;
    }

    static ByteBuffer bytes(byte[] values) {
        ByteBuffer buffer = memory(values.length);
        buffer.duplicate().put(values);
        return buffer;
    }

    static void check(int status) {
        if (status != 0) {
            throw new TinderboxException(status);
        }
    }
}

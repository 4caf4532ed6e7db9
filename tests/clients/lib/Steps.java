// SPDX-License-Identifier: Apache-2.0
// Steps of a tour in Java: each prints "ok - WORDS" or "not ok - WORDS: REASON", which tests/clients/run counts.
import java.util.concurrent.Callable;

class Steps {
    static void step(String words, Callable<Object> body) {
        try {
            body.call();
            System.out.println("ok - " + words);
        } catch (Exception e) {
            System.out.println("not ok - " + words + ": " + e.toString().replaceAll("\\s+", " "));
        }
    }

    static Object same(Object got, Object wanted) {
        if (!got.equals(wanted)) {
            throw new IllegalStateException("got " + got + " instead of " + wanted);
        }
        return got;
    }

    static void end() {
        System.out.println("ok - end of tour");
        System.exit(0);
    }
}

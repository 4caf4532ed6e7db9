/* SPDX-License-Identifier: Apache-2.0
 * Consoles of simulated guests: a serial port that prints a notice and echoes input, and a single-colour
 * display that speaks just enough RFB 3.8 (RFC 6143) for a viewer to show it. Each open console has a thread,
 * which ends when either side closes the socket. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exec_internal.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/sim/compute_state.h"

enum { WIDTH = 640, HEIGHT = 400, PIXEL_SIZE = 4, ROWS_AT_ONCE = 2 };

struct sim_console {
	int fd; /* this thread's end */
	enum console console;
	char name[32];
};

/* Blocking is fine: the thread serves this console only. */
static bool give(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;
	while (size) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t) n;
	}
	return true;
}

static bool take(int fd, void *bytes, size_t size)
{
	return size == 0 || recv(fd, bytes, size, MSG_WAITALL) == (ssize_t) size;
}

static bool skip(int fd, size_t size)
{
	char piece[512];
	for (size_t n = 0; size; size -= n) {
		n = size < sizeof piece ? size : sizeof piece;
		if (!take(fd, piece, n))
			return false;
	}
	return true;
}

/* ---- the serial port */

static bool echo(int fd, char typed)
{
	if (typed == '\r' || typed == '\n')
		return give(fd, "\r\n", 2);
	if (typed == '\b' || typed == 0x7f)
		return give(fd, "\b \b", 3);
	return give(fd, &typed, 1);
}

static void run_serial(const struct sim_console *k)
{
	char text[256];
	int size = snprintf(text, sizeof text,
			    "simulated: there is no machine behind this console of %s; it repeats what is "
			    "typed\r\n",
			    k->name);
	if (!give(k->fd, text, (size_t) size))
		return;
	char typed = 0;
	while (take(k->fd, &typed, 1) && echo(k->fd, typed))
		;
}

/* ---- the display */

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t) (value >> 8);
	at[1] = (uint8_t) value;
}

/* Sends version, security type 1 (none) and its result, then the picture's size, pixel format and name. */
static bool greet(const struct sim_console *k)
{
	uint8_t init[24 + 48] = {[4] = 8 * PIXEL_SIZE, [5] = 24,   [7] = 1,   [9] = 255,
				 [11] = 255,           [13] = 255, [14] = 16, [15] = 8};
	char version[12], choice = 0;
	int name_size = snprintf((char *) init + 24, sizeof init - 24, "simulated: %s", k->name);
	put16(init, WIDTH);
	put16(init + 2, HEIGHT);
	put16(init + 22, (unsigned) name_size);
	return give(k->fd, "RFB 003.008\n", 12) && take(k->fd, version, sizeof version) &&
	       give(k->fd, "\1\1", 2) && take(k->fd, &choice, 1) && give(k->fd, "\0\0\0\0", 4) &&
	       take(k->fd, &choice, 1) && give(k->fd, init, 24 + (size_t) name_size);
}

/* Sends the full picture in raw encoding: white in every byte order, and opaque to viewers that use the
 * fourth byte as alpha. */
static bool give_picture(int fd)
{
	uint8_t head[16] = {[3] = 1}, pixels[ROWS_AT_ONCE * WIDTH * PIXEL_SIZE];
	put16(head + 8, WIDTH);
	put16(head + 10, HEIGHT);
	memset(pixels, 0xff, sizeof pixels);
	bool is_given = give(fd, head, sizeof head);
	for (int row = 0; row < HEIGHT && is_given; row += ROWS_AT_ONCE)
		is_given = give(fd, pixels, sizeof pixels);
	return is_given;
}

/* Handles one viewer message; its type has been read already. */
static bool answer_viewer(int fd, uint8_t type, bool *is_shown)
{
	uint8_t m[19] = {0};
	switch (type) {
	case 0: /* SetPixelFormat: any byte order, but four bytes per pixel */
		return take(fd, m, 19) && m[3] == 8 * PIXEL_SIZE;
	case 2: /* SetEncodings: raw is always allowed */
		return take(fd, m, 3) && skip(fd, (size_t) (m[1] << 8 | m[2]) * 4);
	case 3: /* FramebufferUpdateRequest: answered with the full picture once, since nothing ever
		 * changes */
		if (!take(fd, m, 9) || (*is_shown && m[0]))
			return true;
		*is_shown = true;
		return give_picture(fd);
	case 4: /* KeyEvent */
		return take(fd, m, 7);
	case 5: /* PointerEvent */
		return take(fd, m, 5);
	case 6: /* ClientCutText */
		return take(fd, m, 7) &&
		       skip(fd, (size_t) m[3] << 24 | (size_t) (m[4] << 16 | m[5] << 8 | m[6]));
	default:
		return false;
	}
}

static void run_display(const struct sim_console *k)
{
	bool is_shown = false;
	uint8_t type = 0;
	if (!greet(k))
		return;
	while (take(k->fd, &type, 1) && answer_viewer(k->fd, type, &is_shown))
		;
}

/* ---- opening */

static void *console_run(void *arg)
{
	struct sim_console *k = arg;
	(void) pthread_setname_np(pthread_self(), "sim-console");
	if (k->console == CONSOLE_SERIAL)
		run_serial(k);
	else
		run_display(k);
	(void) shutdown(k->fd, SHUT_RDWR); /* the domain also has this descriptor */
	fd_autoclose(&k->fd);
	heap_free(k);
	return NULL;
}

void sim_close_consoles(struct sim_domain *d)
{
	for (size_t k = 0; k < sizeof d->consoles / sizeof d->consoles[0]; k++) {
		if (d->consoles[k] <= 0)
			continue;
		(void) shutdown(d->consoles[k], SHUT_RDWR);
		fd_autoclose(&d->consoles[k]);
	}
}

/* The domain keeps a descriptor of the thread's socket for ending the thread. */
RESULT sim_open_console(struct ctx *c, struct sim_domain *d, enum console console, int *ret_fd)
{
	int ends[2] = {-1, -1}, *kept = &d->consoles[console - 1];
	pthread_t thread;
	struct sim_console *k = heap_new(struct sim_console);
	if (!k)
		return ctx_no_memory(c);
	k->console = console;
	memcpy(k->name, d->name, sizeof k->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		heap_free(k);
		return ctx_fail(c, ERR_AGAIN, "no descriptors for a console: %s", strerrordesc_np(errno));
	}
	AUTO_FD theirs = ends[1];
	k->fd = ends[0];
	if (*kept > 0) {
		(void) shutdown(*kept, SHUT_RDWR);
		fd_autoclose(kept);
	}
	*kept = dup(k->fd);
	if (*kept < 0 || !exec_start_thread(&thread, console_run, k)) {
		fd_autoclose(kept);
		fd_autoclose(&k->fd);
		heap_free(k);
		return ctx_fail(c, ERR_AGAIN, "no thread for a console");
	}
	(void) pthread_detach(thread);
	*ret_fd = theirs;
	theirs = -1;
	return OK;
}

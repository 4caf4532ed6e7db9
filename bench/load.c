/* SPDX-License-Identifier: Apache-2.0
 * The load generator: `clients` persistent connections, each with one request under way, served by one thread with
 * epoll. Requests are signed once a second, because a signature is valid for minutes and signing would load the
 * generator; its own processor time is printed, too.
 *
 *     load host=… clients=64 run_ms=3000 warm_ms=300 key=… secret=… form=Action=…   signed POST /
 *     load host=… clients=64 run_ms=3000 path=/file [token=…]            GET, to an OpenStack service
 *     load … per_second=500                                              at most that rate, evenly
 *     load host=… clients=64 key=… secret=… forms=FILE                   each line once, without a time limit
 *
 * The warm-up takes a tenth of run_ms if warm_ms is absent.
 *
 * Prints one line of NAME=VALUE: answers (with the warm-up); then without the warm-up requests, seconds, rate, errors,
 * bytes (length of one body), p50_us, p99_us, own_cpu_us (per request); sign_us (per signature). */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "client.h"

enum {
	HEAD_SIZE = 8 * 1024,
	SCRATCH_SIZE = 512 * 1024,
	EVENTS_MAX = 256,
	WAIT_MS = 100,
	SIGN_ARENA_CAP = 256 * 1024,
	SIGN_TRIES = 1000,
	FORMS_CAP = 16 * 1024 * 1024,
	LIST_LIMIT_MS = 600 * 1000,
	BUCKET_US = 10,
	BUCKET_COUNT = 1000 * 1000, /* up to 10 s */
};

struct client {
	int fd;
	bool in_body;
	struct client *next_idle;
	int64_t sent_us, left; /* left: bytes of the body to receive */
	int status;
	size_t head_size;
	char head[HEAD_SIZE];
};

struct load {
	struct ctx *c;
	struct target target;
	struct str form, path;
	struct str forms; /* rest of the file; none: send `form` repeatedly */
	bool is_list;
	int epoll_fd;
	struct client *clients;
	int64_t client_count;
	struct client *idle;          /* clients without a request under way */
	int64_t interval_us, next_us; /* time between requests; 0: send as soon as an answer arrives */
	struct arena *arenas[2];      /* arenas of the current request text and of the previous one */
	unsigned arena_turn;
	struct str request;
	int64_t signed_us, from_us, until_us;
	int64_t answers; /* includes the warm-up, unlike count */
	int64_t count, errors, bytes;
	int told_status; /* status that was printed last, so that each failure is printed once */
	uint32_t *buckets;
	char *scratch;
};

/* ---- sending ---- */

static RESULT load_sign(struct load *l)
{
	struct ctx c;
	l->arena_turn ^= 1;
	arena_reset(l->arenas[l->arena_turn]);
	ctx_init(&c, l->arenas[l->arena_turn]);
	l->signed_us = clock_monotonic_us();
	if (l->is_list)
		(void) str_split_next(&l->forms, '\n', &l->form);
	const struct client_request request = {.path = l->path, .body = l->form};
	return client_write_request(&c, &l->target, &request, &l->request);
}

static RESULT client_send(struct load *l, struct client *client, int64_t now_us)
{
	if (l->is_list || now_us - l->signed_us > SECOND)
		TRY(load_sign(l));
	client->sent_us = now_us;
	client->head_size = 0;
	client->in_body = false;
	ssize_t n = send(client->fd, l->request.p, l->request.n, MSG_NOSIGNAL);
	if (n != (ssize_t) l->request.n)
		return ctx_fail(l->c, ERR_GONE, "sending: %s", strerrordesc_np(errno));
	return OK;
}

/* ---- receiving ---- */

static void count_answer(struct load *l, const struct client *client, int64_t now_us)
{
	l->answers++;
	if (now_us < l->from_us || now_us >= l->until_us)
		return;
	int64_t bucket = (now_us - client->sent_us) / BUCKET_US;
	l->buckets[bucket < BUCKET_COUNT ? bucket : BUCKET_COUNT - 1]++;
	l->count++;
	l->errors += client->status != 200;
}

/* Takes received bytes: collects them until the head is complete, then only counts the body's. */
static RESULT client_take(struct load *l, struct client *client, struct str bytes, bool *ret_done)
{
	size_t head_end = 0, before = client->head_size;
	if (!client->in_body) {
		size_t take = bytes.n < HEAD_SIZE - before ? bytes.n : HEAD_SIZE - before;
		memcpy(client->head + before, bytes.p, take);
		client->head_size += take;
		client->in_body = client_read_head((struct str){client->head, client->head_size}, &head_end,
						   &client->left, &client->status);
		if (!client->in_body && client->head_size == HEAD_SIZE)
			return ctx_fail(l->c, ERR_TOO_LARGE, "an answer's head without an end");
		l->bytes = client->in_body ? client->left : l->bytes;
		bytes = client->in_body ? str_slice(bytes, head_end - before, bytes.n) : STR_NONE;
		if (client->in_body && client->status != 200 && client->status != l->told_status) {
			(void) fprintf(stderr, "load: status %d: %" STR_FMT "\n", client->status,
				       STR_ARG(bytes));
			l->told_status = client->status;
		}
	}
	client->left -= (int64_t) bytes.n;
	*ret_done = client->in_body && client->left <= 0;
	return OK;
}

static RESULT client_receive(struct load *l, struct client *client)
{
	ssize_t n = recv(client->fd, l->scratch, SCRATCH_SIZE, 0);
	bool done = false;
	if (n <= 0)
		return ctx_fail(l->c, ERR_GONE, "receiving: %s", n ? strerrordesc_np(errno) : "closed");
	TRY(client_take(l, client, (struct str){l->scratch, (size_t) n}, &done));
	if (!done)
		return OK;
	int64_t now_us = clock_monotonic_us();
	count_answer(l, client, now_us);
	client->next_idle = l->idle;
	l->idle = client;
	return OK;
}

/* Sends a request for each idle client, as far as the rate permits. ret_wait_ms: time until the next one is due. */
static RESULT load_send(struct load *l, int *ret_wait_ms)
{
	int64_t now_us = clock_monotonic_us();
	while (l->idle && (!l->is_list || l->forms.n) && (l->interval_us == 0 || l->next_us <= now_us)) {
		struct client *client = l->idle;
		l->idle = client->next_idle;
		l->next_us += l->interval_us;
		TRY(client_send(l, client, now_us));
	}
	int64_t left_ms = (l->next_us - now_us + MILLISECOND - 1) / MILLISECOND;
	*ret_wait_ms = l->idle && left_ms < WAIT_MS ? (int) left_ms : WAIT_MS;
	return OK;
}

/* ---- the run ---- */

static RESULT load_open(struct load *l)
{
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->clients = heap_alloc_array((size_t) l->client_count, sizeof *l->clients);
	l->buckets = heap_alloc_array(BUCKET_COUNT, sizeof *l->buckets);
	l->scratch = heap_alloc(SCRATCH_SIZE);
	for (int k = 0; k < 2; k++)
		l->arenas[k] = arena_new(ARENA_FIRST_SIZE, SIGN_ARENA_CAP);
	if (!l->clients || !l->buckets || !l->scratch || !l->arenas[0] || !l->arenas[1])
		return ctx_fail(l->c, ERR_NO_MEMORY, "out of memory");
	for (int64_t k = 0; k < l->client_count; k++) {
		struct client *client = &l->clients[k];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
		TRY(client_connect(l->c, l->target.host, &client->fd));
		if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
			return ctx_fail(l->c, ERR_IO, "epoll: %s", strerrordesc_np(errno));
	}
	return l->is_list ? OK : load_sign(l);
}

static void load_close(struct load *l)
{
	for (int64_t k = 0; l->clients && k < l->client_count; k++)
		if (l->clients[k].fd > 0)
			(void) close(l->clients[k].fd);
	fd_autoclose(&l->epoll_fd);
	heap_free(l->clients);
	heap_free(l->buckets);
	heap_free(l->scratch);
	arena_free(l->arenas[0]);
	arena_free(l->arenas[1]);
}

/* True if every request of the list was sent and answered. */
static bool is_done(const struct load *l)
{
	int64_t idle = 0;
	for (const struct client *client = l->idle; client; client = client->next_idle)
		idle++;
	return l->is_list && l->forms.n == 0 && idle == l->client_count;
}

static RESULT load_run(struct load *l)
{
	l->next_us = clock_monotonic_us();
	for (int64_t k = 0; k < l->client_count; k++) {
		l->clients[k].next_idle = l->idle;
		l->idle = &l->clients[k];
	}
	while ((clock_monotonic_us() < l->until_us || !l->answers) &&
	       !is_done(l)) { /* wait for at least one answer of a slow server */
		struct epoll_event events[EVENTS_MAX];
		int wait_ms = 0;
		TRY(load_send(l, &wait_ms));
		int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, wait_ms);
		for (int k = 0; k < n; k++)
			TRY(client_receive(l, events[k].data.ptr));
	}
	return OK;
}

/* Quantile of the latency: `part` of the answers took less. */
static int64_t load_quantile_us(const struct load *l, double part)
{
	double wanted = part * (double) l->count, seen = 0;
	for (int64_t k = 0; k < BUCKET_COUNT; k++) {
		seen += l->buckets[k];
		if (seen >= wanted)
			return (k + 1) * BUCKET_US;
	}
	return BUCKET_COUNT * (int64_t) BUCKET_US;
}

static int64_t cpu_now_us(void)
{
	struct rusage use;
	(void) getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * SECOND + use.ru_utime.tv_usec +
	       use.ru_stime.tv_usec;
}

static RESULT measure_sign_us(struct load *l, double *ret_us)
{
	int64_t since_us = clock_monotonic_us();
	for (int k = 0; k < SIGN_TRIES; k++)
		TRY(load_sign(l));
	*ret_us = (double) (clock_monotonic_us() - since_us) / SIGN_TRIES;
	return OK;
}

static RESULT load_all(struct load *l, int64_t warm_us, int64_t run_us)
{
	double sign_us = 0;
	TRY(load_open(l));
	if (!l->is_list)
		TRY(measure_sign_us(l, &sign_us));
	int64_t cpu_us = cpu_now_us(), since_us = clock_monotonic_us();
	l->from_us = since_us + warm_us;
	l->until_us = l->from_us + run_us;
	TRY(load_run(l));
	double cpu = (double) (cpu_now_us() - cpu_us) / (double) (clock_monotonic_us() - since_us);
	double seconds = (double) run_us / (double) SECOND;
	(void) printf("answers=%lld requests=%lld seconds=%.3f rate=%.1f errors=%lld bytes=%lld p50_us=%lld "
		      "p99_us=%lld "
		      "own_cpu_us=%.2f sign_us=%.2f\n",
		      (long long) l->answers, (long long) l->count, seconds, (double) l->count / seconds,
		      (long long) l->errors, (long long) l->bytes, (long long) load_quantile_us(l, 0.5),
		      (long long) load_quantile_us(l, 0.99),
		      l->count ? cpu * (double) run_us / (double) l->count : 0.0, sign_us);
	return OK;
}

int main(int argc, char **argv)
{
	struct ctx c;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, 2 * FORMS_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	struct load load = {.c = &c,
			    .target = arg_target(argc, argv),
			    .form = arg_text(argc, argv, "form", STR_NONE),
			    .path = arg_text(argc, argv, "path", STR("/")),
			    .client_count = arg_int(argc, argv, "clients", 64),
			    .epoll_fd = -1};
	int64_t per_second = arg_int(argc, argv, "per_second", 0);
	load.interval_us = per_second > 0 ? SECOND / per_second : 0;
	struct str forms = arg_text(argc, argv, "forms", STR_NONE);
	load.is_list = forms.n > 0;
	int64_t run_ms = arg_int(argc, argv, "run_ms", load.is_list ? LIST_LIMIT_MS : 3000);
	int64_t warm_ms = arg_int(argc, argv, "warm_ms", load.is_list ? 0 : run_ms / 10);
	struct result result =
		load.is_list ? file_read(&c, str_to_z(arena, forms), FORMS_CAP, &load.forms) : OK;
	if (result_is_ok(result))
		result = load_all(&load, warm_ms * MILLISECOND, run_ms * MILLISECOND);
	load_close(&load);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}

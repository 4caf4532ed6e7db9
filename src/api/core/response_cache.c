/* SPDX-License-Identifier: Apache-2.0
 * The cache keeps complete answers in sets of a few places, chosen by account and parameter digest. A new answer
 * replaces the least recently used ones: the account's own where its share is full, any where the cache is full.
 * The cache shares an answer with the calls that are sending it. An answer sent as one piece shares a packet with its headers; several
 * pieces need more packets. So an answer that contains a request id is lent whole to one call at a time,
 * with that call's id written into it. A second call gets a copy. A third concurrent call sends the pieces
 * before and after its id. A long answer without a request id becomes a memfd once it is asked for again.
 * The kernel sends its pages as they are, so only the client copies them. A client that takes gzip gets the answer compressed
 * (response_zip.h), from the second time on that the answer is asked for.
 */
#include "api/core/response_cache.h"
#include "api/core/response_cache_room.h"
#include "api/core/response_zip.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/heap.h"

enum {
	SETS = 64,
	WAYS = 4,
	PLACES = SETS * WAYS,
	ID_WITHIN = 512,
	TEXTS = 2,
	/* for less, the calls that sendfile() needs cost more than a copy (bench/PROFILE.md) */
	FILE_SIZE_MIN = 256 * 1024,
	FILES_MAX = 16,
	ZIP_AROUND = 128, /* above the frame of a compressed answer: its head, its tail and the id */
};

/* Cached answer. Immutable once it is in a slot, except for the request ids in the texts, the lazy second text, and what the
 * cache's lock guards. */
struct answer {
	_Atomic unsigned holders;
	struct response_key key;
	struct reads
		reads; /* its commit is that of the latest view that the answer was right in; under the cache's lock */
	bool was_used;      /* since the last response_cache_trim(); under the cache's lock */
	size_t size, id_at; /* offset of the request id; size: there is none */
	uint64_t used;      /* number of the cache's look-up that found it last; under the cache's lock */
	char *texts[TEXTS]; /* the second is made on first use, by the call that holds lent[1] */
	atomic_flag lent[TEXTS];
	atomic_flag is_filed;  /* set by the first call that makes the memfd, whether or not that succeeds */
	atomic_flag is_zipped; /* set by the first call that compresses, whether or not that succeeds */
	/* Other forms of the text. Each is set once, under the cache's lock, and stays until the answer goes. */
	_Atomic int fd;                     /* the memfd; -1: none */
	_Atomic(struct response_zip *) zip; /* NULL: none */
};

/* Figures sum up all caches of the process. */
static _Atomic uint64_t hit_count, miss_count, zipped_count, unkept_count, held_size;

struct response_cache {
	pthread_mutex_t lock; /* guards all of this; answers themselves are counted and immutable */
	size_t size_min;      /* shorter answers are not cached; constant */
	uint64_t uses;
	size_t size; /* bytes that the answers may take */
	unsigned files;
	struct answer *places[PLACES];
	struct heap_trimmer trimmer;
};

/* An answer on its way to one call. */
struct sent {
	struct answer *answer;
	size_t lent; /* index of the lent text; TEXTS: none */
	char id[UUID_TEXT_SIZE];
};

static void answer_drop(struct answer *a)
{
	if (!a || atomic_fetch_sub(&a->holders, 1) != 1)
		return;
	for (size_t k = 0; k < TEXTS; k++)
		heap_free(a->texts[k]);
	int fd = atomic_load(&a->fd);
	fd_autoclose(&fd);
	response_zip_free(atomic_load(&a->zip));
	heap_free(a);
}

/* ---- sending ---- */

/* Copies the first text without its id. Another call may be writing the id meanwhile; all other bytes
 * are constant. */
static char *copy_text(const struct answer *a, size_t id_size)
{
	size_t behind = a->id_at + id_size;
	char *text = heap_alloc(a->size);
	if (!text)
		return NULL;
	memcpy(text, a->texts[0], a->id_at);
	memcpy(text + behind, a->texts[0] + behind, a->size - behind);
	return text;
}

/* Reserves a text for this call and writes the call's id into it. Returns TEXTS if all are lent or
 * memory is out. */
static size_t lend_text(struct answer *a, struct str id)
{
	size_t k = 0;
	while (k < TEXTS && atomic_flag_test_and_set(&a->lent[k]))
		k++;
	if (k == TEXTS)
		return TEXTS;
	if (!a->texts[k])
		a->texts[k] = copy_text(a, id.n);
	if (a->texts[k]) {
		memcpy(a->texts[k] + a->id_at, id.p, id.n);
		return k;
	}
	atomic_flag_clear(&a->lent[k]);
	return TEXTS;
}

static void sent_done(void *arg)
{
	struct sent *sent = arg;
	if (sent->lent < TEXTS)
		atomic_flag_clear(&sent->answer->lent[sent->lent]);
	answer_drop(sent->answer);
	heap_free(sent);
}

/* Sends the memfd. False: there is none, or the process has no descriptor left. */
static bool send_file(struct answer *a, struct call *call, const char *content_type)
{
	int kept = atomic_load(&a->fd), fd = kept < 0 || call->is_tls ? -1 : fcntl(kept, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		call_answer_file(call, 200, content_type, fd, (int64_t) a->size);
	return fd >= 0;
}

/* Sends the answer. Consumes one reference, also on failure. */
static bool send_answer(struct answer *a, struct call *call, const char *content_type)
{
	if (send_file(a, call, content_type)) {
		answer_drop(a);
		return true;
	}
	struct str id = call->ctx.request_id;
	struct sent *sent = id.n == UUID_TEXT_SIZE - 1 ? heap_new(struct sent) : NULL;
	if (!sent) {
		answer_drop(a);
		return false;
	}
	bool has_id = a->id_at < a->size;
	sent->answer = a;
	sent->lent = has_id ? lend_text(a, id) : TEXTS;
	if (!has_id || sent->lent < TEXTS) {
		const struct str whole = {a->texts[has_id ? sent->lent : 0], a->size};
		call_answer_pieces(call, 200, content_type, &whole, 1, sent_done, sent);
		return true;
	}
	size_t behind = a->id_at + id.n;
	memcpy(sent->id, id.p, id.n);
	const struct str pieces[] = {
		{a->texts[0], a->id_at}, {sent->id, id.n}, {a->texts[0] + behind, a->size - behind}};
	call_answer_pieces(call, 200, content_type, pieces, 3, sent_done, sent);
	return true;
}

/* ---- places, with the cache's lock held ---- */

void response_key_set_caller(struct response_key *key, const struct identity *who)
{
	key->account = who->account;
	key->domain = who->domain;
	key->trust = who->trust;
	key->application_credential = who->application_credential;
	key->iam_role = who->iam_role;
	key->scope = who->scope;
	key->rights = who->rights;
	key->is_operator = who->is_operator;
	key->is_owner = who->is_owner;
	key->is_restricted = who->is_restricted;
}

static bool has_caller(const struct response_key *a, const struct response_key *b)
{
	return uuid_equal(a->account, b->account) && uuid_equal(a->domain, b->domain) &&
	       uuid_equal(a->trust, b->trust) &&
	       uuid_equal(a->application_credential, b->application_credential) &&
	       uuid_equal(a->iam_role, b->iam_role) && a->scope == b->scope && a->rights == b->rights &&
	       a->is_operator == b->is_operator && a->is_owner == b->is_owner &&
	       a->is_restricted == b->is_restricted;
}

static bool is_for(const struct answer *a, const struct response_key *key)
{
	return has_caller(&a->key, key) && memcmp(a->key.digest, key->digest, sizeof key->digest) == 0;
}

static struct answer **set_of(struct response_cache *m, const struct response_key *key)
{
	uint64_t account = 0, digest = 0;
	memcpy(&account, key->account.b + 8, sizeof account); /* ids are random, so half of one suffices */
	memcpy(&digest, key->digest, sizeof digest);
	return &m->places[hash_add(account, digest) % SETS * WAYS];
}

/* The place of the request's answer, also if the answer is outdated; NULL: there is none. */
static struct answer **find_place(struct response_cache *m, const struct response_key *key)
{
	struct answer **set = set_of(m, key);
	for (size_t k = 0; k < WAYS; k++)
		if (set[k] && is_for(set[k], key))
			return &set[k];
	return NULL;
}

/* Bytes that an answer may take: a second text may be made for a request id, or a memfd beside the text. */
static size_t weight_of(const struct answer *a)
{
	const struct response_zip *zip = atomic_load(&a->zip);
	bool is_double = a->id_at < a->size || atomic_load(&a->fd) >= 0;
	return (is_double ? TEXTS * a->size : a->size) + (zip ? response_zip_size(zip) : 0);
}

static void count_size(struct response_cache *m, int64_t more)
{
	m->size += (size_t) more;
	(void) atomic_fetch_add_explicit(&held_size, (uint64_t) more, memory_order_relaxed);
}

static void empty_place(struct response_cache *m, struct answer **place)
{
	struct answer *a = *place;
	*place = NULL;
	if (!a)
		return;
	count_size(m, -(int64_t) weight_of(a));
	m->files -= atomic_load(&a->fd) >= 0;
	answer_drop(a);
}

static void fill_place(struct response_cache *m, struct answer **place, struct answer *a)
{
	empty_place(m, place);
	a->used = ++m->uses;
	count_size(m, (int64_t) weight_of(a));
	m->files += atomic_load(&a->fd) >= 0;
	*place = a;
}

/* The least recently used answer of an account, or with account NULL of all; NULL: there is none. */
static struct answer **find_oldest(struct answer **places, size_t count, const uuid *account)
{
	struct answer **oldest = NULL;
	for (size_t k = 0; k < count; k++) {
		const struct answer *a = places[k];
		if (a && (!account || uuid_equal(a->key.account, *account)) &&
		    (!oldest || a->used < (*oldest)->used))
			oldest = &places[k];
	}
	return oldest;
}

static size_t size_of_account(const struct response_cache *m, uuid account)
{
	size_t size = 0;
	for (size_t k = 0; k < PLACES; k++)
		if (m->places[k] && uuid_equal(m->places[k]->key.account, account))
			size += weight_of(m->places[k]);
	return size;
}

/* A place of the set for a new answer. An account that has half of a full set replaces its own answers there, so that no
 * account drives out the others by many different requests. */
static struct answer **find_free(struct answer **set, uuid account)
{
	size_t own = 0;
	for (size_t k = 0; k < WAYS; k++) {
		if (!set[k])
			return &set[k];
		own += uuid_equal(set[k]->key.account, account);
	}
	return find_oldest(set, WAYS, own >= WAYS / 2 ? &account : NULL);
}

/* Sizes have a maximum below the share, so that there is an answer to drop wherever room is short. */
static void make_room(struct response_cache *m, uuid account, size_t weight)
{
	while (size_of_account(m, account) + weight > RESPONSE_CACHE_SHARE)
		empty_place(m, find_oldest(m->places, PLACES, &account));
	while (m->size + weight > RESPONSE_CACHE_SIZE)
		empty_place(m, find_oldest(m->places, PLACES, NULL));
}

/* Keeps the answer instead of the request's former one, and makes room for it. */
static void keep_answer(struct response_cache *m, struct answer *a)
{
	struct answer **former = find_place(m, &a->key);
	if (former)
		empty_place(m, former);
	make_room(m, a->key.account, weight_of(a));
	fill_place(m, find_free(set_of(m, &a->key), a->key.account), a);
}

/* The request's answer, if it is right in the view, with a reference for the caller; NULL: there is none. */
static struct answer *take_answer(struct response_cache *m, const struct response_key *key,
				  const struct view *v)
{
	(void) pthread_mutex_lock(&m->lock);
	struct answer **place = find_place(m, key);
	struct answer *a = place && view_still_has(v, &(*place)->reads) ? *place : NULL;
	if (a) {
		atomic_fetch_add(&a->holders, 1);
		a->used = ++m->uses;
		a->was_used = true;
		if (a->reads.commit < v->commit)
			a->reads.commit = v->commit; /* the next look has less to compare */
	}
	(void) pthread_mutex_unlock(&m->lock);
	return a;
}

/* ---- sending a cached answer ---- */

/* True if the answer is in its place, so that the cache counts its bytes; with the cache's lock held. */
static bool is_kept(struct response_cache *m, const struct answer *a)
{
	struct answer **place = find_place(m, &a->key);
	return place && *place == a;
}

/* Copies the answer to a memfd. Excludes TLS: libmicrohttpd encrypts a file in small pieces, which is slower than from memory. */
static void make_file(struct response_cache *m, struct answer *a, const struct call *call)
{
	if (call->is_tls || a->id_at < a->size || a->size < FILE_SIZE_MIN ||
	    atomic_flag_test_and_set(&a->is_filed))
		return;
	AUTO_FD fd = memfd_create("answer", MFD_CLOEXEC);
	if (fd < 0 || pwrite(fd, a->texts[0], a->size, 0) != (ssize_t) a->size)
		return;
	(void) pthread_mutex_lock(&m->lock);
	if (is_kept(m, a) && m->files < FILES_MAX) {
		atomic_store(&a->fd, fd);
		fd = -1;
		m->files++;
		count_size(m, (int64_t) a->size);
		make_room(m, a->key.account, 0);
	}
	(void) pthread_mutex_unlock(&m->lock);
}

/* Compresses the answer, unless that was tried before; calls that come meanwhile are sent the text. */
static void make_zip(struct response_cache *m, struct answer *a, size_t id_size)
{
	bool has_id = a->id_at < a->size;
	size_t behind = has_id ? a->id_at + id_size : 0;
	if (atomic_flag_test_and_set(&a->is_zipped))
		return;
	struct response_zip *zip =
		response_zip_new((struct str){a->texts[0], has_id ? a->id_at : 0}, has_id ? id_size : 0,
				 (struct str){a->texts[0] + behind, a->size - behind});
	if (!zip)
		return;
	(void) pthread_mutex_lock(&m->lock);
	atomic_store(&a->zip, zip);
	if (is_kept(m, a)) {
		count_size(m, (int64_t) response_zip_size(zip));
		make_room(m, a->key.account, 0);
	}
	(void) pthread_mutex_unlock(&m->lock);
}

/* Sends the answer compressed, if the client takes that. The compressed text is short, so each call gets a copy. */
static bool send_zipped(struct response_cache *m, struct answer *a, struct call *call,
			const char *content_type)
{
	struct str id = call->ctx.request_id;
	struct buf body;
	if (!response_zip_is_asked(call) || id.n != UUID_TEXT_SIZE - 1)
		return false;
	make_zip(m, a, id.n);
	const struct response_zip *zip = atomic_load(&a->zip);
	if (!zip)
		return false;
	buf_init(&body, BUF_ANSWER_CAP);
	if (buf_reserve(&body, response_zip_size(zip) + ZIP_AROUND))
		response_zip_write(zip, id, &body);
	if (body.failed) {
		buf_done(&body);
		return false;
	}
	call_set_answer_header(call, "Content-Encoding", STR("gzip"));
	call_set_answer_header(call, "Vary", STR("Accept-Encoding"));
	call_answer(call, 200, content_type, &body);
	atomic_fetch_add_explicit(&zipped_count, 1, memory_order_relaxed);
	return true;
}

bool response_cache_send(struct response_cache *m, const struct response_key *key, struct view *v,
			 struct call *call, const char *content_type)
{
	struct answer *a = take_answer(m, key, v);
	atomic_fetch_add_explicit(a ? &hit_count : &miss_count, 1, memory_order_relaxed);
	if (!a)
		return false;
	view_end_read(v); /* a publish must not wait for the compression */
	if (send_zipped(m, a, call, content_type)) {
		answer_drop(a);
		return true;
	}
	make_file(m, a, call);
	return send_answer(a, call, content_type);
}

/* ---- adding ---- */

/* Takes over the buffer as an answer; NULL if the size is out of range or memory is out, and the caller
 * keeps the buffer. */
static struct answer *make_answer(const struct response_cache *m, const struct response_key *key,
				  const struct reads *reads, struct str id, struct buf *body)
{
	bool fits = body->size >= m->size_min && body->size <= RESPONSE_SIZE_MAX && id.n &&
		    !reads->has_clock && !reads->has_outside;
	struct answer *a = fits ? heap_new(struct answer) : NULL;
	if (!a)
		return NULL;
	const char *at = memmem(body->p, body->size < ID_WITHIN ? body->size : ID_WITHIN, id.p, id.n);
	a->id_at = at ? (size_t) (at - body->p) : body->size;
	a->size = body->size;
	char *text = heap_resize(body->p, body->size); /* returns unused capacity */
	a->texts[0] = text ? text : body->p;
	a->key = *key;
	a->reads = *reads;
	a->was_used = true;
	atomic_init(&a->fd, -1);
	atomic_init(&a->holders, 2); /* references of the slot and of the call */
	*body = (struct buf){0};
	return a;
}

RESULT response_cache_add(struct response_cache *m, const struct response_key *key, const struct reads *reads,
			  struct call *call, const char *content_type, struct buf *body)
{
	struct answer *a = make_answer(m, key, reads, call->ctx.request_id, body);
	if (reads->has_clock || reads->has_outside)
		atomic_fetch_add_explicit(&unkept_count, 1, memory_order_relaxed);
	if (!a) {
		call_answer(call, 200, content_type, body);
		return OK;
	}
	(void) pthread_mutex_lock(&m->lock);
	keep_answer(m, a);
	(void) pthread_mutex_unlock(&m->lock);
	return send_answer(a, call, content_type) ? OK : ctx_no_memory(&call->ctx);
}

/* ---- life ---- */

void response_cache_trim(struct response_cache *m)
{
	if (!m)
		return;
	(void) pthread_mutex_lock(&m->lock);
	for (size_t k = 0; k < PLACES; k++) {
		struct answer *a = m->places[k];
		if (a && !a->was_used)
			empty_place(m, &m->places[k]);
		else if (a)
			a->was_used = false;
	}
	(void) pthread_mutex_unlock(&m->lock);
}

void response_cache_read_figures(struct response_cache_figures *ret_figures)
{
	*ret_figures = (struct response_cache_figures){
		.hits = atomic_load_explicit(&hit_count, memory_order_relaxed),
		.misses = atomic_load_explicit(&miss_count, memory_order_relaxed),
		.zipped = atomic_load_explicit(&zipped_count, memory_order_relaxed),
		.unkept = atomic_load_explicit(&unkept_count, memory_order_relaxed),
		.size = atomic_load_explicit(&held_size, memory_order_relaxed)};
}

static void trim(void *self)
{
	response_cache_trim(self);
}

struct response_cache *response_cache_new(size_t size_min)
{
	struct response_cache *m = heap_new(struct response_cache);
	if (!m)
		return NULL;
	m->size_min = size_min;
	(void) pthread_mutex_init(&m->lock, NULL);
	m->trimmer = (struct heap_trimmer){.trim = trim, .self = m};
	heap_add_trimmer(&m->trimmer);
	return m;
}

void response_cache_free(struct response_cache *m)
{
	if (!m)
		return;
	heap_drop_trimmer(&m->trimmer);
	for (size_t k = 0; k < PLACES; k++)
		empty_place(m, &m->places[k]);
	(void) pthread_mutex_destroy(&m->lock);
	heap_free(m);
}

/* SPDX-License-Identifier: Apache-2.0
 * Backups as objects: chunks named by their digests, and the manifest that lists them. */
#include "drivers/backup_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>
#include <zlib.h>

#include "base/crypto.h"
#include "base/heap.h"
#include "base/json_write.h"
#include "model/backup_name.h"

enum { FORMAT = 1, COMPRESSION = 1, SHA256_TEXT = 2 * SHA256_SIZE };
/* the store's qcow2 file of a 2 TiB disk is slightly longer than 2 TiB */
#define DATA_SIZE_MAX (INT64_C(4096) << 30)
static const struct str MANIFEST = STR("manifest.json");
/* Lists the chunks that a failed backup has stored; it does not make a backup. */
static const struct str PARTIAL = STR("partial.json");

struct chunk {
	int64_t index; /* position in the content */
	uint8_t sha256[SHA256_SIZE];
	uint32_t holder; /* index into holders: whose folder contains it */
	uint32_t size;   /* bytes of its object; 0: an older manifest does not say */
	bool is_own;     /* the backup itself has stored it, and counts its bytes */
};

struct backup_manifest {
	struct arena *arena; /* holds the texts in the facts */
	struct backup_facts facts;
	int64_t data_size, object_size; /* bytes of the content, and of the manifest as it was read */
	uuid *holders;                  /* owned, as the next */
	size_t holder_count;
	struct chunk *chunks;
	size_t chunk_count;
	uint32_t *slots; /* owned; hash table by digest: index of the chunk + 1; 0: free */
	size_t slot_count;
};

void backup_manifest_free(struct backup_manifest *m)
{
	if (!m)
		return;
	arena_free(m->arena);
	heap_free(m->holders);
	heap_free(m->chunks);
	heap_free(m->slots);
	heap_free(m);
}

const struct backup_facts *backup_manifest_facts(const struct backup_manifest *m)
{
	return &m->facts;
}

int64_t backup_manifest_data_size(const struct backup_manifest *m)
{
	return m->data_size;
}

static int64_t count_places(int64_t data_size)
{
	return (data_size + BACKUP_CHUNK_SIZE - 1) / BACKUP_CHUNK_SIZE;
}

/* ---- names ---- */

static struct str folder_of(struct ctx *c, const struct backup_place *place, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return str_print(c->arena, "%" STR_FMT "/%s", STR_ARG(place->container), uuid_write(id, text));
}

static struct str object_in(struct ctx *c, struct str folder, struct str name)
{
	return str_print(c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(folder), STR_ARG(name));
}

/* ---- digests ---- */

static RESULT make_manifest(struct ctx *c, int64_t data_size, size_t chunk_max,
			    struct backup_manifest **ret_manifest)
{
	AUTO(backup_manifest) m = heap_new(struct backup_manifest);
	if (!m)
		return ctx_no_memory(c);
	for (m->slot_count = 16; m->slot_count < 2 * chunk_max; m->slot_count *= 2)
		;
	m->data_size = data_size;
	m->arena = arena_new(4096, 1 << 20);
	m->holders = heap_alloc_array(BACKUP_ANCESTORS_MAX, sizeof *m->holders);
	m->chunks = heap_alloc_array(chunk_max + 1, sizeof *m->chunks);
	m->slots = heap_alloc_array(m->slot_count, sizeof *m->slots);
	if (!m->arena || !m->holders || !m->chunks || !m->slots)
		return ctx_no_memory(c);
	*ret_manifest = TAKE(m);
	return OK;
}

/* The slot that has the digest, or where it would be inserted. */
static uint32_t *find_slot(const struct backup_manifest *m, const uint8_t sha256[static SHA256_SIZE])
{
	uint64_t start = 0;
	memcpy(&start, sha256, sizeof start);
	size_t at = start & (m->slot_count - 1);
	while (m->slots[at] && memcmp(m->chunks[m->slots[at] - 1].sha256, sha256, SHA256_SIZE) != 0)
		at = (at + 1) & (m->slot_count - 1);
	return &m->slots[at];
}

static const struct chunk *find_chunk(const struct backup_manifest *m,
				      const uint8_t sha256[static SHA256_SIZE])
{
	uint32_t slot = m ? *find_slot(m, sha256) : 0;
	return slot ? &m->chunks[slot - 1] : NULL;
}

static void add_chunk(struct backup_manifest *m, const struct chunk *chunk)
{
	uint32_t *slot = find_slot(m, chunk->sha256);
	m->chunks[m->chunk_count++] = *chunk;
	if (!*slot)
		*slot = (uint32_t) m->chunk_count;
}

/* Finds or adds a holder. ERR_TOO_LARGE. */
static RESULT add_holder(struct ctx *c, struct backup_manifest *m, uuid id, uint32_t *ret_index)
{
	size_t k = 0;
	while (k < m->holder_count && !uuid_equal(m->holders[k], id))
		k++;
	if (k == BACKUP_ANCESTORS_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "the backup would need %d others: make a full one",
				BACKUP_ANCESTORS_MAX);
	m->holders[k] = id;
	m->holder_count += k == m->holder_count;
	*ret_index = (uint32_t) k;
	return OK;
}

/* ---- the manifest, written ---- */

static void write_tags(struct json_writer *w, const char *name, struct tags tags)
{
	json_write_open(w, name);
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(w, tags.at[k].key);
		json_write_text(w, NULL, tags.at[k].value);
	}
	json_write_close(w);
}

static void write_facts(struct ctx *c, struct json_writer *w, const struct backup_facts *f)
{
	json_write_uuid_or_null(w, "parent", f->parent);
	json_write_int(w, "size", f->size);
	json_write_int(w, "data_us", f->data_us);
	json_write_z(w, "content", f->is_file ? "file" : "raw");
	json_write_text_or_null(w, "sha256", f->sha256);
	json_write_bool(w, "is_encrypted", f->is_encrypted);
	json_write_text_or_null(w, "data_key", str_encode_base64(c->arena, f->data_key));
	json_write_bool(w, "is_bootable", f->is_bootable);
	write_tags(w, "image_properties", f->image_properties);
	write_tags(w, "volume_tags", f->volume_tags);
}

/* Each chunk is written as "INDEX HOLDER SHA256 SIZE", followed by " own" if the backup has stored it. */
static void write_chunks(struct json_writer *w, struct arena *scratch, const struct backup_manifest *m)
{
	json_write_open_list(w, "chunks");
	for (size_t k = 0; k < m->chunk_count; k++) {
		const struct chunk *chunk = &m->chunks[k];
		arena_reset(scratch);
		struct str hex = str_encode_hex(scratch, chunk->sha256, SHA256_SIZE);
		json_write_text(w, NULL,
				str_print(scratch, "%" PRId64 " %" PRIu32 " %" STR_FMT " %" PRIu32 "%s",
					  chunk->index, chunk->holder, STR_ARG(hex), chunk->size,
					  chunk->is_own ? " own" : ""));
	}
	json_write_close_list(w);
}

static RESULT write_manifest(struct ctx *c, const struct backup_manifest *m, uuid id, struct buf *out)
{
	struct json_writer w;
	struct arena *scratch = arena_new(4096, 1 << 16);
	if (!scratch)
		return ctx_no_memory(c);
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_int(&w, "format", FORMAT);
	json_write_uuid_or_null(&w, "id", id);
	write_facts(c, &w, &m->facts);
	json_write_int(&w, "data_size", m->data_size);
	json_write_int(&w, "chunk_size", BACKUP_CHUNK_SIZE);
	json_write_open_list(&w, "holders");
	for (size_t k = 0; k < m->holder_count; k++)
		json_write_uuid_or_null(&w, NULL, m->holders[k]);
	json_write_close_list(&w);
	write_chunks(&w, scratch, m);
	json_write_close(&w);
	arena_free(scratch);
	return json_write_end(&w);
}

/* ---- the manifest, read ---- */

static struct str text_of(const json_t *object, const char *key)
{
	const json_t *text = json_object_get(object, key);
	return json_is_string(text) ? (struct str){json_string_value(text), json_string_length(text)}
				    : STR_NONE;
}

static bool read_id(const json_t *value, uuid *ret_id)
{
	return json_is_string(value) && result_is_ok(uuid_parse(str_from(json_string_value(value)), ret_id));
}

static bool read_tags(struct backup_manifest *m, const json_t *object, struct tags *ret_tags)
{
	size_t count = json_object_size(object), k = 0, size = 0;
	struct tag *tags = arena_new_array(m->arena, struct tag, count + 1);
	const char *key = NULL;
	json_t *value = NULL;
	if (!tags || count > BACKUP_PROPERTIES_MAX)
		return false;
	json_object_foreach ((json_t *) object, key, value) {
		if (!json_is_string(value) || (k && strcmp(tags[k - 1].key.p, key) >= 0))
			return false;
		size += strlen(key) + json_string_length(value);
		tags[k++] = (struct tag){str_copy(m->arena, str_from(key)),
					 str_copy(m->arena, (struct str){json_string_value(value),
									 json_string_length(value)})};
	}
	*ret_tags = (struct tags){tags, count};
	return size <= BACKUP_PROPERTIES_SIZE_MAX;
}

static bool read_all_tags(struct backup_manifest *m, const json_t *root)
{
	return read_tags(m, json_object_get(root, "image_properties"), &m->facts.image_properties) &&
	       read_tags(m, json_object_get(root, "volume_tags"), &m->facts.volume_tags);
}

static bool read_facts(struct backup_manifest *m, const json_t *root)
{
	struct backup_facts *f = &m->facts;
	const json_t *parent = json_object_get(root, "parent");
	uint8_t digest[SHA256_SIZE];
	f->size = json_integer_value(json_object_get(root, "size"));
	f->data_us = json_integer_value(json_object_get(root, "data_us"));
	f->is_file = str_is(text_of(root, "content"), "file");
	f->sha256 = str_copy(m->arena, text_of(root, "sha256"));
	f->is_encrypted = json_is_true(json_object_get(root, "is_encrypted"));
	f->is_bootable = json_is_true(json_object_get(root, "is_bootable"));
	struct str key = text_of(root, "data_key");
	return (json_is_null(parent) || read_id(parent, &f->parent)) && f->size > 0 && f->data_us > 0 &&
	       f->size <= DATA_SIZE_MAX && (f->is_file || str_is(text_of(root, "content"), "raw")) &&
	       (!f->is_file || result_is_ok(str_decode_hex(f->sha256, digest, sizeof digest))) &&
	       (!key.n || result_is_ok(str_decode_base64(m->arena, key, &f->data_key))) &&
	       f->is_encrypted == (f->data_key.n > 0) && (!f->is_encrypted || f->is_file) &&
	       read_all_tags(m, root);
}

/* An older manifest does not say the size. */
static bool read_chunk_size(struct str text, struct chunk *chunk)
{
	struct str number = STR_NONE;
	int64_t size = 0;
	if (!text.n)
		return true;
	bool is_good = str_split_next(&text, ' ', &number) && result_is_ok(str_parse_int(number, &size)) &&
		       size >= 0 && size <= UINT32_MAX && (!text.n || str_is(text, "own"));
	chunk->size = (uint32_t) size;
	chunk->is_own = text.n > 0;
	return is_good;
}

static bool read_chunk(struct backup_manifest *m, const json_t *value)
{
	struct str rest = {json_string_value(value), json_string_length(value)}, index = STR_NONE,
		   holder = STR_NONE;
	struct chunk chunk = {0};
	int64_t number = -1;
	struct str digest = STR_NONE;
	if (!json_is_string(value) || !str_split_next(&rest, ' ', &index) ||
	    !str_split_next(&rest, ' ', &holder) || !str_split_next(&rest, ' ', &digest))
		return false;
	bool is_good = result_is_ok(str_parse_int(index, &chunk.index)) && chunk.index >= 0 &&
		       chunk.index < count_places(m->data_size) &&
		       result_is_ok(str_parse_int(holder, &number)) && number >= 0 &&
		       (size_t) number < m->holder_count &&
		       result_is_ok(str_decode_hex(digest, chunk.sha256, SHA256_SIZE)) &&
		       read_chunk_size(rest, &chunk);
	chunk.holder = (uint32_t) number;
	if (is_good)
		add_chunk(m, &chunk);
	return is_good;
}

static bool read_lists(struct backup_manifest *m, const json_t *root)
{
	const json_t *holders = json_object_get(root, "holders"), *chunks = json_object_get(root, "chunks");
	const json_t *value = NULL;
	size_t k = 0;
	if (json_array_size(holders) > BACKUP_ANCESTORS_MAX)
		return false;
	json_array_foreach (holders, k, value)
		if (!read_id(value, &m->holders[m->holder_count++]))
			return false;
	json_array_foreach (chunks, k, value)
		if (!read_chunk(m, value))
			return false;
	return true;
}

static RESULT read_manifest(struct ctx *c, const json_t *root, uuid id, struct backup_manifest **ret_manifest)
{
	int64_t data_size = json_integer_value(json_object_get(root, "data_size"));
	size_t count = json_array_size(json_object_get(root, "chunks"));
	uuid named = UUID_NONE;
	AUTO(backup_manifest) m = NULL;
	bool is_ours = json_integer_value(json_object_get(root, "format")) == FORMAT &&
		       json_integer_value(json_object_get(root, "chunk_size")) == BACKUP_CHUNK_SIZE &&
		       read_id(json_object_get(root, "id"), &named) && uuid_equal(named, id) &&
		       data_size > 0 && data_size <= DATA_SIZE_MAX &&
		       count <= (size_t) count_places(data_size);
	if (is_ours)
		TRY(make_manifest(c, data_size, count, &m));
	if (!is_ours || !read_facts(m, root) || !read_lists(m, root))
		return ctx_fail(c, ERR_INVALID,
				"the manifest of the backup is damaged, or of another program");
	*ret_manifest = TAKE(m);
	return OK;
}

static RESULT load_manifest(struct ctx *c, const struct backup_place *place, uuid id, struct str object,
			    struct backup_manifest **ret_manifest)
{
	struct buf text;
	json_error_t where;
	struct str name = object_in(c, folder_of(c, place, id), object);
	if (!name.p)
		return ctx_no_memory(c);
	buf_init(&text, BACKUP_MANIFEST_MAX);
	struct result result = backup_store_get(place->store, c, name, &text);
	json_t *root = result_is_ok(result) ? json_loadb(text.p, text.size, 0, &where) : NULL;
	int64_t size = (int64_t) text.size;
	buf_done(&text);
	if (result_is_ok(result))
		result = read_manifest(c, root, id, ret_manifest);
	if (result_is_ok(result))
		(*ret_manifest)->object_size = size;
	json_decref(root);
	return result;
}

RESULT backup_manifest_load(struct ctx *c, const struct backup_place *place,
			    struct backup_manifest **ret_manifest)
{
	return load_manifest(c, place, place->id, MANIFEST, ret_manifest);
}

/* ---- the content, written ---- */

struct writing {
	struct ctx *c;
	const struct backup_place *place;
	const struct backup_manifest *parent; /* NULL: none */
	struct backup_manifest *made;
	struct backup_written *written;
	struct arena *scratch; /* reset for each chunk */
	char *plain;           /* owned by the writer, as the next */
	unsigned char *packed;
	uLong packed_max;
	int fd;
};

static uuid chain_of(const struct backup_place *place)
{
	return uuid_is_none(place->chain) ? place->id : place->chain;
}

static RESULT store_chunk(struct writing *w, struct str plain, const uint8_t sha256[static SHA256_SIZE],
			  uint32_t *ret_size)
{
	struct ctx c;
	uLongf size = w->packed_max;
	arena_reset(w->scratch);
	ctx_init(&c, w->scratch);
	struct str name = object_in(&c, folder_of(&c, w->place, chain_of(w->place)),
				    str_encode_hex(w->scratch, sha256, SHA256_SIZE));
	if (compress2(w->packed, &size, (const unsigned char *) plain.p, plain.n, COMPRESSION) != Z_OK)
		return ctx_no_memory(w->c);
	struct result result =
		backup_store_put(w->place->store, &c, name, (struct str){(const char *) w->packed, size});
	if (!result_is_ok(result)) {
		struct str why = str_copy(w->c->arena, c.problem.message);
		return ctx_fail(w->c, result.code, "%" STR_FMT, STR_ARG(why));
	}
	w->written->object_count++;
	w->written->stored_size += (int64_t) size;
	*ret_size = (uint32_t) size;
	return OK;
}

static bool is_zero(struct str s)
{
	return s.n == 0 || (s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

static RESULT write_chunk(struct writing *w, int64_t index, struct str plain)
{
	struct chunk chunk = {.index = index};
	if (is_zero(plain))
		return OK;
	crypto_sha256(plain, chunk.sha256);
	const struct chunk *own = find_chunk(w->made, chunk.sha256);
	const struct chunk *old = own ? NULL : find_chunk(w->parent, chunk.sha256);
	if (own)
		chunk.holder = own->holder;
	else
		TRY(add_holder(w->c, w->made, old ? w->parent->holders[old->holder] : chain_of(w->place),
			       &chunk.holder));
	chunk.is_own = own ? own->is_own : !old;
	if (own || old)
		chunk.size = own ? own->size : old->size;
	else
		TRY(store_chunk(w, plain, chunk.sha256, &chunk.size));
	add_chunk(w->made, &chunk);
	return OK;
}

/* The first chunk index from index on that contains data, skipping holes. */
static int64_t skip_hole(int fd, int64_t index, int64_t places)
{
	off_t at = lseek(fd, index * BACKUP_CHUNK_SIZE, SEEK_DATA);
	if (at < 0)
		return errno == ENXIO ? places : index;
	return at / BACKUP_CHUNK_SIZE;
}

static RESULT write_content(struct writing *w, const struct backup_watch *watch)
{
	int64_t places = count_places(w->made->data_size);
	for (int64_t k = skip_hole(w->fd, 0, places); k < places; k = skip_hole(w->fd, k + 1, places)) {
		if (watch->goes_on && !watch->goes_on(watch->arg))
			return ctx_fail(w->c, ERR_AGAIN, "the backup was ended");
		if (watch->find_left && w->written->stored_size >= watch->find_left(watch->arg))
			return ctx_fail(w->c, ERR_QUOTA,
					"The account's limit for files of images, snapshots, backups and "
					"tickets leaves no more. Delete some, or ask for a higher limit.");
		ssize_t n = pread(w->fd, w->plain, BACKUP_CHUNK_SIZE, k * BACKUP_CHUNK_SIZE);
		if (n < 0)
			return ctx_fail(w->c, ERR_IO, "the disk's file cannot be read: %s",
					strerrordesc_np(errno));
		TRY(write_chunk(w, k, (struct str){w->plain, (size_t) n}));
	}
	return OK;
}

static RESULT put_manifest(struct writing *w, struct str object)
{
	struct buf text;
	struct str name = object_in(w->c, folder_of(w->c, w->place, w->place->id), object);
	buf_init(&text, BACKUP_MANIFEST_MAX);
	struct result result = write_manifest(w->c, w->made, w->place->id, &text);
	if (result_is_ok(result))
		result = backup_store_put(w->place->store, w->c, name, buf_str(&text));
	w->written->object_count++;
	w->written->stored_size += (int64_t) text.size;
	buf_done(&text);
	return result;
}

static RESULT write_all(struct writing *w, const struct backup_watch *watch)
{
	w->packed_max = compressBound(BACKUP_CHUNK_SIZE);
	w->plain = heap_alloc(BACKUP_CHUNK_SIZE);
	w->packed = heap_alloc(w->packed_max);
	w->scratch = arena_new(4096, 1 << 20);
	if (!w->plain || !w->packed || !w->scratch)
		return ctx_no_memory(w->c);
	struct result result = write_content(w, watch);
	if (result_is_ok(result))
		return put_manifest(w, MANIFEST);
	if (uuid_equal(chain_of(w->place), w->place->id)) /* goes with its folder */
		return result;
	const struct problem problem = w->c->problem;
	IGNORE(put_manifest(w, PARTIAL)); /* without it the chunks stay until the chain ends */
	w->c->problem = problem;
	return result;
}

RESULT backup_data_write(struct ctx *c, const struct backup_place *place, const struct backup_facts *facts,
			 const struct backup_manifest *parent, const char *path,
			 const struct backup_watch *watch, struct backup_written *ret_written)
{
	struct backup_written written = {0};
	AUTO(backup_manifest) made = NULL;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	if (size <= 0)
		return ctx_fail(c, ERR_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
	TRY(make_manifest(c, size, (size_t) count_places(size), &made));
	made->facts = *facts;
	struct writing w = {
		.c = c, .place = place, .parent = parent, .made = made, .written = &written, .fd = fd};
	struct result result = write_all(&w, watch);
	heap_free(w.plain);
	heap_free(w.packed);
	arena_free(w.scratch);
	if (result_is_ok(result))
		*ret_written = written;
	return result;
}

/* ---- the content, read ---- */

struct reading {
	struct ctx *c;
	const struct backup_place *place;
	const struct backup_manifest *m;
	struct arena *scratch;
	unsigned char *plain;
	int fd;
};

static RESULT unpack(struct reading *r, const struct chunk *chunk, struct str packed)
{
	int64_t at = chunk->index * BACKUP_CHUNK_SIZE, left = r->m->data_size - at;
	uLongf size = (uLongf) (left < BACKUP_CHUNK_SIZE ? left : BACKUP_CHUNK_SIZE), wanted = size;
	uint8_t digest[SHA256_SIZE];
	int code = uncompress(r->plain, &size, (const unsigned char *) packed.p, packed.n);
	crypto_sha256((struct str){(const char *) r->plain, code == Z_OK ? size : 0}, digest);
	if (code != Z_OK || size != wanted || memcmp(digest, chunk->sha256, sizeof digest) != 0)
		return ctx_fail(r->c, ERR_INVALID, "chunk %" PRId64 " of the backup is damaged",
				chunk->index);
	return pwrite(r->fd, r->plain, size, at) == (ssize_t) size
		       ? OK
		       : ctx_fail(r->c, ERR_IO, "the disk's file cannot be written: %s",
				  strerrordesc_np(errno));
}

static RESULT read_chunk_of(struct reading *r, const struct chunk *chunk)
{
	struct ctx c;
	struct buf packed;
	arena_reset(r->scratch);
	ctx_init(&c, r->scratch);
	struct str name = object_in(&c, folder_of(&c, r->place, r->m->holders[chunk->holder]),
				    str_encode_hex(r->scratch, chunk->sha256, SHA256_SIZE));
	buf_init(&packed, compressBound(BACKUP_CHUNK_SIZE) + 4096);
	struct result result = backup_store_get(r->place->store, &c, name, &packed);
	if (result_is_ok(result))
		result = unpack(r, chunk, buf_str(&packed));
	else {
		struct str why = str_copy(r->c->arena, c.problem.message);
		result = ctx_fail(r->c, result.code, "%" STR_FMT, STR_ARG(why));
	}
	buf_done(&packed);
	return result;
}

static RESULT read_content(struct reading *r, const struct backup_watch *watch)
{
	if (!r->plain || !r->scratch)
		return ctx_no_memory(r->c);
	for (size_t k = 0; k < r->m->chunk_count; k++) {
		if (watch->goes_on && !watch->goes_on(watch->arg))
			return ctx_fail(r->c, ERR_AGAIN, "the restoring was ended");
		TRY(read_chunk_of(r, &r->m->chunks[k]));
	}
	return OK;
}

RESULT backup_data_read(struct ctx *c, const struct backup_place *place, const struct backup_manifest *m,
			const char *path, const struct backup_watch *watch)
{
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, m->data_size) != 0)
		return ctx_fail(c, ERR_IO, "cannot make %s: %s", path, strerrordesc_np(errno));
	struct reading r = {.c = c, .place = place, .m = m, .fd = fd};
	r.plain = heap_alloc(BACKUP_CHUNK_SIZE);
	r.scratch = arena_new(4096, 1 << 20);
	struct result result = read_content(&r, watch);
	heap_free(r.plain);
	arena_free(r.scratch);
	return result;
}

RESULT backup_data_remove(struct ctx *c, const struct backup_place *place)
{
	struct str folder = folder_of(c, place, place->id);
	struct str manifest = object_in(c, folder, MANIFEST);
	if (!folder.p || !manifest.p)
		return ctx_no_memory(c);
	TRY(backup_store_remove(place->store, c, manifest));
	return backup_store_remove_folder(place->store, c, folder);
}

/* ---- removal of a part of a chain ---- */

/* Other backups' use of a chunk of the backup that goes. */
struct chunk_use {
	bool is_needed;  /* another backup needs it */
	bool is_counted; /* another backup has stored it, too, and counts its bytes */
};

/* Notes each chunk of `own` that the other backup has in the same folder. A damaged manifest might need anything,
 * and an incomplete backup needs nothing. */
static RESULT mark_needed(struct ctx *c, const struct backup_place *place, uuid other,
			  const struct backup_manifest *own, struct chunk_use *uses)
{
	AUTO(backup_manifest) m = NULL;
	struct result result = load_manifest(c, place, other, MANIFEST, &m);
	bool needs_all = result.code == ERR_INVALID;
	if (result.code != ERR_NOT_FOUND && !needs_all)
		TRY(result);
	ctx_clear_problem(c);
	for (size_t k = 0; needs_all && k < own->chunk_count; k++)
		uses[k].is_needed = true;
	for (size_t k = 0; m && k < m->chunk_count; k++) {
		uint32_t slot = *find_slot(own, m->chunks[k].sha256);
		if (!slot || !uuid_equal(m->holders[m->chunks[k].holder], chain_of(place)))
			continue;
		uses[slot - 1].is_needed = true;
		uses[slot - 1].is_counted |= m->chunks[k].is_own;
	}
	return OK;
}

/* Removes each chunk once: find_slot() names the first of equal ones. */
static RESULT remove_unneeded(struct ctx *c, const struct backup_place *place,
			      const struct backup_manifest *own, const struct chunk_use *uses, int64_t *freed)
{
	struct arena *scratch = arena_new(4096, 1 << 20);
	struct result result = scratch ? OK : ctx_no_memory(c);
	for (size_t k = 0; k < own->chunk_count && result_is_ok(result); k++) {
		const struct chunk *chunk = &own->chunks[k];
		bool is_here = uuid_equal(own->holders[chunk->holder], chain_of(place));
		if (!is_here || *find_slot(own, chunk->sha256) != k + 1)
			continue;
		if (uses[k].is_counted)
			*freed += chunk->is_own ? chunk->size : 0;
		if (uses[k].is_needed)
			continue;
		struct ctx inner;
		arena_reset(scratch);
		ctx_init(&inner, scratch);
		struct str name = object_in(&inner, folder_of(&inner, place, chain_of(place)),
					    str_encode_hex(scratch, chunk->sha256, SHA256_SIZE));
		result = backup_store_remove(place->store, &inner, name);
		if (!result_is_ok(result))
			result = ctx_fail(c, result.code, "%" STR_FMT,
					  STR_ARG(str_copy(c->arena, inner.problem.message)));
		*freed += chunk->size;
	}
	arena_free(scratch);
	return result;
}

static RESULT collect_chunks(struct ctx *c, const struct backup_place *place, const uuid *others,
			     size_t count, int64_t *freed)
{
	AUTO(backup_manifest) own = NULL;
	struct result result = load_manifest(c, place, place->id, MANIFEST, &own);
	if (result.code == ERR_NOT_FOUND)
		result = load_manifest(c, place, place->id, PARTIAL, &own);
	if (result.code != ERR_NOT_FOUND && result.code != ERR_INVALID)
		TRY(result);
	ctx_clear_problem(c);
	if (!own)
		return OK;
	struct chunk_use *uses = heap_alloc_array(own->chunk_count + 1, sizeof *uses);
	result = uses ? OK : ctx_no_memory(c);
	*freed += own->object_size;
	for (size_t k = 0; k < count && result_is_ok(result); k++)
		result = mark_needed(c, place, others[k], own, uses);
	if (result_is_ok(result))
		result = remove_unneeded(c, place, own, uses, freed);
	heap_free(uses);
	return result;
}

RESULT backup_data_collect(struct ctx *c, const struct backup_place *place, const uuid *others, size_t count,
			   int64_t *ret_freed)
{
	struct str folder = folder_of(c, place, place->id), chain = folder_of(c, place, chain_of(place));
	struct str manifest = object_in(c, folder, MANIFEST), partial = object_in(c, folder, PARTIAL);
	bool is_root = uuid_equal(place->id, chain_of(place));
	int64_t freed = 0;
	if (!folder.p || !chain.p || !manifest.p || !partial.p)
		return ctx_no_memory(c);
	if (count)
		TRY(collect_chunks(c, place, others, count, &freed));
	TRY(backup_store_remove(place->store, c, manifest));
	TRY(backup_store_remove(place->store, c, partial));
	if (!is_root || !count)
		TRY(backup_store_remove_folder(place->store, c, folder));
	if (!is_root && !count)
		TRY(backup_store_remove_folder(place->store, c, chain));
	*ret_freed = freed;
	return OK;
}

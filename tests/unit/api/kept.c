/* SPDX-License-Identifier: Apache-2.0
 * Cached answers of all lists: kept EVERY PATH... executes each EVERY-th golden case of the folders (golden.c) line by line. After each
 * line it asks all reads that stand in the folders' cases and that the caches keep. A cached answer must be what a face without a
 * cache answers, byte for byte except for the request id. So this program finds a source that an answer was made from and that is not
 * on the record of reads (base/reads.h). Short answers are cached here, too. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/core/response_cache.h"
#include "base/clock.h"
#include "base/vec.h"
#include "model/id.h"
#include "script.h"

enum { FILE_SIZE_MAX = 8 << 20, FACES = 4 };

struct read {
	struct str version, line; /* the last @version before the line sets the version */
};

struct one_case {
	const char *path;
	struct str lines;
};

static struct world w;
static struct script_stage stage;
static struct api_face **faces[FACES] = {&w.face, &w.openstack, &w.cloudstack, &w.azure};
static struct response_cache *spares[FACES];
static struct arena *texts;
static VEC(struct read) reads; /* that were answered from the cache when they were asked twice */
static VEC(struct one_case) cases;

/* Shared with the processes of the cases. */
static struct sums {
	long compared, unsteady, wrong;
} * sums;

/* ---- asking ---- */

static struct world_answer ask(const struct read *read)
{
	struct script script = {.stage = &stage, .version = read->version};
	script_run(&script, read->line);
	return script.history[0];
}

static void swap_caches(void)
{
	for (size_t k = 0; k < FACES; k++) {
		struct response_cache *cache = (*faces[k])->cache;
		(*faces[k])->cache = spares[k];
		spares[k] = cache;
	}
}

/* The answer of faces with empty caches. */
static struct world_answer ask_anew(const struct read *read)
{
	swap_caches();
	struct world_answer answer = ask(read);
	for (size_t k = 0; k < 2 * FACES; k++) /* the second time drops what was used before the first one */
		response_cache_trim((*faces[k / 2])->cache);
	swap_caches();
	return answer;
}

static uint64_t count_hits(void)
{
	struct response_cache_figures figures;
	response_cache_read_figures(&figures);
	return figures.hits;
}

/* The body behind its request id. */
static struct str body_of(const struct world_answer *answer)
{
	static const char mark[] = "</requestId>";
	const char *at = memmem(answer->body.p, answer->body.n, mark, sizeof mark - 1);
	return at ? str_slice(answer->body, (size_t) (at - answer->body.p), answer->body.n) : answer->body;
}

static bool is_same(const struct world_answer *a, const struct world_answer *b)
{
	return a->status == b->status && str_equal(body_of(a), body_of(b));
}

static void show(const char *what, const struct world_answer *answer)
{
	printf("  %s: %d %" STR_FMT "\n", what, answer->status, STR_ARG(str_slice(answer->body, 0, 3000)));
}

/* Compares cached answers with new ones. Afterwards the cache has all answers again. */
static void check_reads(const struct one_case *one, struct str after)
{
	for (size_t k = 0; k < reads.count; k++) {
		const struct read *read = &reads.at[k];
		uint64_t before = count_hits();
		const struct world_answer kept = ask(read);
		if (count_hits() == before)
			continue;
		const struct world_answer wanted = ask_anew(read);
		sums->compared++;
		if (is_same(&kept, &wanted))
			continue;
		const struct world_answer again = ask_anew(read);
		if (!is_same(&wanted, &again)) {
			sums->unsteady++;
			continue;
		}
		if (sums->wrong++ > 20)
			continue;
		printf("FAILED %s: %" STR_FMT "\n  after: %" STR_FMT "\n", one->path, STR_ARG(read->line),
		       STR_ARG(after));
		show("kept", &kept);
		show("wanted", &wanted);
	}
}

/* ---- the region ---- */

static struct world_answer call(void *self, enum script_user user, bool is_get, struct str parameters)
{
	const struct world_user *users[] = {&w.alice, &w.bob, 0, &w.admin, &w.alice};
	(void) self;
	return is_get ? world_get(&w, users[user], parameters) : world_post(&w, users[user], parameters);
}

static struct world_answer request(void *self, const struct script_request *r)
{
	const struct world_user *users[] = {&w.alice, &w.bob, 0, &w.admin, &w.alice};
	(void) self;
	return world_request(&w, users[r->user], r);
}

static void settle(void *self)
{
	world_settle(self, 10 * MINUTE);
}

static void let_pass(void *self, int64_t us)
{
	int64_t until = clock_now_us() + us;
	(void) self;
	while (executor_step(w.executor, until))
		;
	clock_set_us(until);
}

static void operate(void *self, op_run run, void *wish)
{
	(void) self;
	IGNORE(world_do(&w, &w.operator, run, wish)); /* golden.c checks that */
}

static void make_region(void)
{
	world_make(&w);
	stage = (struct script_stage){.self = &w,
				      .arena = w.arena,
				      .image = id_to_ec2(w.arena, KIND_IMAGE, w.image),
				      .image_uuid = uuid_to_str(w.arena, w.image),
				      .is_lenient = true,
				      .call = call,
				      .request = request,
				      .settle = settle,
				      .wait = let_pass,
				      .operate = operate};
	for (size_t k = 0; k < FACES; k++) {
		response_cache_free((*faces[k])->cache);
		(*faces[k])->cache = response_cache_new(1);
		spares[k] = response_cache_new(1);
		if (!(*faces[k])->cache || !spares[k])
			abort();
	}
}

/* ---- golden files ---- */

/* The line with its subscription in place; empty: it has other texts from earlier answers. */
static struct str resolve(struct str line)
{
	static const char mark[] = "$(value.subscriptionId)";
	const struct world_user *user = str_starts_with(line, STR("@bob ")) ? &w.bob : &w.alice;
	struct buf b;
	buf_init(&b, FILE_SIZE_MAX);
	for (const char *at; (at = memmem(line.p, line.n, mark, sizeof mark - 1)) != NULL;) {
		size_t before = (size_t) (at - line.p);
		buf_add_str(&b, str_slice(line, 0, before));
		buf_add_str(&b, uuid_to_str(texts, user->who.account));
		line = str_slice(line, before + sizeof mark - 1, line.n);
	}
	buf_add_str(&b, line);
	struct str text = str_copy(texts, buf_str(&b));
	buf_done(&b);
	return str_contains(text, STR("$(")) ? STR_NONE : text;
}

static bool is_known(const struct read *read)
{
	for (size_t k = 0; k < reads.count; k++)
		if (str_equal(reads.at[k].line, read->line) && str_equal(reads.at[k].version, read->version))
			return true;
	return false;
}

/* Takes the line as a read if a second call is answered from the cache. */
static void take_read(struct str version, struct str line)
{
	static const char *const words[] = {"GET ", "Describe",  "Action=Describe", "?Action=Describe",
					    "Get",  "Action=Get"};
	size_t space = str_starts_with(line, STR("@")) ? str_find_char(line, ' ', 0) + 1 : 0;
	struct str asked = str_slice(line, space, line.n);
	bool is_read = false;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		is_read = is_read || str_starts_with(asked, str_from(words[k]));
	if (str_contains(asked, STR("/client/api"))) /* CloudStack's changes may be sent by GET, too */
		is_read = str_contains(asked, STR("command=list"));
	if (!is_read || str_starts_with(line, STR("@key ")) || str_starts_with(line, STR("@nobody ")))
		return;
	const struct read read = {version, resolve(line)};
	if (!read.line.n || is_known(&read))
		return;
	(void) ask(&read);
	uint64_t before = count_hits();
	(void) ask(&read);
	if (count_hits() > before && !VEC_PUSH(texts, &reads, read))
		abort();
}

static void take_case(const char *path, struct str lines)
{
	struct str rest = lines, line, version = STR_NONE;
	const struct one_case one = {path, lines};
	if (!VEC_PUSH(texts, &cases, one))
		abort();
	while (str_split_next(&rest, '\n', &line))
		if (str_starts_with(line, STR("@version ")))
			version = str_slice(line, 9, line.n);
		else if (script_is_call(line))
			take_read(version, line);
}

static void take_file(const char *path)
{
	static char bytes[FILE_SIZE_MAX];
	FILE *file = fopen(path, "rb");
	size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
	struct str text = str_copy(texts, (struct str){bytes, n}), name, lines;
	if (!file || fclose(file) != 0 || n == sizeof bytes) {
		perror(path);
		exit(2);
	}
	const char *kept_path = str_to_z(texts, str_from(path));
	if (str_ends_with(str_from(path), STR(".cases")))
		while (script_next_case(&text, &name, &lines))
			take_case(kept_path, lines);
	else if (str_ends_with(str_from(path), STR(".req")))
		take_case(kept_path, text);
}

static void take_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	if (count < 0) {
		perror(path);
		exit(2);
	}
	for (int k = 0; k < count; k++) {
		const char *name = entries[k]->d_name;
		const char *inner = str_to_z(texts, str_print(texts, "%s/%s", path, name));
		if (name[0] != '.' && entries[k]->d_type == DT_DIR)
			take_folder(inner);
		else if (name[0] != '.')
			take_file(inner);
		free(entries[k]);
	}
	free(entries);
}

/* ---- cases ---- */

static void run_lines(const struct one_case *one)
{
	static struct script script;
	struct str rest = one->lines, line;
	script = (struct script){.stage = &stage};
	for (size_t k = 0; k < reads.count; k++)
		(void) ask(&reads.at[k]);
	while (str_split_next(&rest, '\n', &line)) {
		script_run(&script, line);
		if (script_is_call(line) || str_starts_with(line, STR("@")))
			check_reads(one, line);
	}
}

static bool run_case(const struct one_case *one)
{
	int status = 0;
	(void) fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		run_lines(one);
		(void) fflush(NULL);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("kept");
		exit(2);
	}
	if (status != 0)
		printf("FAILED %s: the process ended with status %d\n", one->path, status);
	return status == 0;
}

int main(int argc, char **argv)
{
	int64_t every = 1;
	bool is_whole = true;
	if (argc < 3 || !result_is_ok(str_parse_int(str_from(argv[1]), &every)) || every < 1) {
		fprintf(stderr, "usage: kept EVERY FOLDER...\n");
		return 2;
	}
	sums = mmap(NULL, sizeof *sums, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	texts = arena_new(FILE_SIZE_MAX, (size_t) 1 << 30);
	if (sums == MAP_FAILED || !texts)
		abort();
	make_region();
	for (int k = 2; k < argc; k++)
		take_folder(argv[k]);
	for (size_t k = 0; k < cases.count; k += (size_t) every)
		is_whole = run_case(&cases.at[k]) && is_whole;
	printf("%zu reads, %ld kept answers compared, %ld wrong, %ld differ from call to call\n", reads.count,
	       sums->compared, sums->wrong, sums->unsteady);
	for (size_t k = 0; k < FACES; k++)
		response_cache_free(spares[k]);
	arena_free(texts);
	world_done(&w);
	return sums->wrong || !sums->compared || !is_whole;
}

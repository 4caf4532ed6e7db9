/* SPDX-License-Identifier: Apache-2.0
 * The commands' client side: command line, call, and output. */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/client/ask.h"
#include "daemon/client/help.h"
#include "daemon/command.h"

enum { EXIT_USAGE = 2, GROUP_SIZE = 64, CALL_ARENA_CAP = 256 * 1024 * 1024, FOLLOW_MS = 1000 };

static int print_version(void)
{
	printf("dari " DARI_VERSION "\n");
	return 0;
}

/* ---- the command line ---- */

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The longest command matching the first words; *ret_used: the number of words. */
static const struct command *match_words(int argc, char **argv, int *ret_used)
{
	char words[128] = "";
	const struct command *found = NULL;
	size_t n = 0;
	for (int k = 0; k < argc && k < 3 && argv[k][0] != '-'; k++) {
		int more = snprintf(words + n, sizeof words - n, "%s%s", k ? " " : "", argv[k]);
		if (more < 0 || (size_t) more >= sizeof words - n)
			break;
		n += (size_t) more;
		const struct command *command = command_find(str_from(words));
		if (command) {
			found = command;
			*ret_used = k + 1;
		}
	}
	return found;
}

static const struct command_param *find_param(const struct command *command, const char *name, size_t size)
{
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		if (p->kind != PARAM_POSITIONAL && strlen(p->name) == size &&
		    memcmp(p->name, name, size) == 0)
			return p;
	return NULL;
}

static const struct command_param *next_positional(const struct command *command, const json_t *args)
{
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		if (p->kind == PARAM_POSITIONAL && !json_object_get(args, p->name))
			return p;
	return NULL;
}

/* Returns NULL or an error message. */
static const char *read_line(json_t *args, const char *name)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size = getline(&line, &capacity, stdin);
	if (size > 0 && line[size - 1] == '\n')
		size--;
	const char *wrong = NULL;
	if (size < 1)
		wrong = "nothing came on standard input";
	else if (json_object_set_new(args, name, json_stringn(line, (size_t) size)))
		wrong = "what came on standard input is not UTF-8";
	free(line);
	return wrong;
}

/* Makes paths absolute, since the server has another working directory. Returns NULL or an error message. */
static const char *set_value(json_t *args, const struct command_param *p, const char *value)
{
	char whole[PATH_MAX];
	if (p->is_path && *value && *value != '/' && !strstr(value, "://")) {
		size_t size = strlen(value) + 1;
		if (!getcwd(whole, sizeof whole) || strlen(whole) + 1 + size > sizeof whole)
			return "no path from here";
		char *end = whole + strlen(whole);
		*end = '/';
		memcpy(end + 1, value, size);
		value = whole;
	}
	const char *before = p->repeats ? json_string_value(json_object_get(args, p->name)) : NULL;
	json_t *text = before ? json_sprintf("%s\n%s", before, value) : json_string(value);
	return json_object_set_new(args, p->name, text) ? "its value is not UTF-8" : NULL;
}

/* Parses one "--name value", "--name=value" or "--flag" at argv[*at]. Returns NULL or an error message. */
static const char *parse_option(const struct command *command, int argc, char **argv, int *at, json_t *args)
{
	const char *name = argv[*at] + 2, *equals = strchr(name, '=');
	const struct command_param *p =
		find_param(command, name, equals ? (size_t) (equals - name) : strlen(name));
	if (!p)
		return "no such option";
	if (p->kind == PARAM_STDIN)
		return equals ? "takes no value" : read_line(args, p->name);
	if (p->kind == PARAM_FLAG)
		return equals ? "takes no value" : (json_object_set_new(args, p->name, json_true()), NULL);
	const char *value = equals ? equals + 1 : ++*at < argc ? argv[*at] : NULL;
	if (!value)
		return "wants a value";
	return set_value(args, p, value);
}

static int parse_args(const struct command *command, int argc, char **argv, json_t *args, bool *ret_json)
{
	for (int k = 0; k < argc; k++) {
		const char *wrong = NULL;
		if (is_help(argv[k])) {
			(void) help_print_command(command);
			return -1;
		}
		if (strcmp(argv[k], "--json") == 0) {
			*ret_json = true;
			continue;
		}
		const char *shown = argv[k];
		if (strncmp(argv[k], "--", 2) == 0) {
			wrong = parse_option(command, argc, argv, &k, args);
		} else {
			const struct command_param *p = next_positional(command, args);
			wrong = p ? set_value(args, p, argv[k]) : "one argument too many";
		}
		if (wrong) {
			fprintf(stderr, "dari %s: %s: %s (--help explains)\n", command->words, shown, wrong);
			const char *near =
				strncmp(shown, "--", 2) == 0 ? help_near_option(command, shown + 2) : NULL;
			if (near && strcmp(near, shown + 2) != 0)
				fprintf(stderr, "Did you mean `--%s`?\n", near);
			return EXIT_USAGE;
		}
	}
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		if (p->required && !json_object_get(args, p->name)) {
			fprintf(stderr, "dari %s: %s%s is missing (--help explains)\n", command->words,
				p->kind == PARAM_POSITIONAL ? "" : "--", p->name);
			return EXIT_USAGE;
		}
	return 0;
}

/* ---- the call ---- */

/* The server for a command. */
struct target {
	const char *config_path; /* names this machine's server */
	const char *url, *ca;    /* address and CA of a remote server; NULL: none */
};

static RESULT find_place(struct ctx *c, const struct target *target, struct client_place *ret_place)
{
	if (!target->url)
		return client_find_here(c, target->config_path, ret_place);
	TRY(client_read_url(c, str_from(target->url), ret_place));
	ret_place->ca = str_from(target->ca);
	return client_find_proof(c, ret_place);
}

/* Validates a command's outcome before using it. */
static RESULT check_outcome(struct ctx *c, const struct client_place *place, const json_t *outcome)
{
	const json_t *text = json_object_get(outcome, "text"), *message = json_object_get(outcome, "message"),
		     *more = json_object_get(outcome, "more");
	bool is_failure = json_is_string(message) && json_is_string(json_object_get(outcome, "error"));
	bool is_done = json_is_string(text) && json_is_integer(json_object_get(outcome, "status")) &&
		       !message && (!more || json_is_object(more));
	if (is_failure || is_done)
		return OK;
	return ctx_fail(c, ERR_IO,
			"what answers at %" STR_FMT " is no server of Dari's: it tells no outcome.",
			STR_ARG(place->socket.n ? place->socket : place->url));
}

static RESULT exchange(struct ctx *c, struct client_place *place, const char *words, json_t *args,
		       json_t **ret_outcome)
{
	json_t *body = json_pack("{s:s, s:O}", "command", words, "args", args), *answer = NULL;
	struct result result =
		body ? client_call(c, place, &(struct client_request){"POST", "/commands", NULL, body},
				   &answer)
		     : ctx_no_memory(c);
	json_decref(body);
	TRY(result);
	*ret_outcome = json_incref(json_object_get(answer, "outcome"));
	json_decref(answer);
	return check_outcome(c, place, *ret_outcome);
}

/* Removes terminal control characters: the local server's texts, too, have words of customers, guests and desks. Files and
 * pipes get what the local server says. */
static struct str clean_for(const struct client_place *place, struct arena *a, int fd, struct str text)
{
	return !place->socket.n || isatty(fd) ? client_clean_text(a, text) : text;
}

static void print_text(const struct client_place *place, struct arena *a, struct str text)
{
	text = clean_for(place, a, STDOUT_FILENO, text);
	(void) fwrite(text.p, 1, text.n, stdout);
}

/* flags: for json_dumps() */
static void print_value(const struct client_place *place, struct arena *a, const json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);
	print_text(place, a, str_from(text));
	(void) putchar('\n');
	free(text);
}

static void print_lines(const struct client_place *place, struct arena *a, const json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		print_value(place, a, json_array_get(list, k), JSON_COMPACT);
}

/* Writes files with secrets, readable only by the user. */
static bool write_files(json_t *files)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct result result = OK;
	const char *path = NULL;
	json_t *text = NULL;
	json_object_foreach (files, path, text) {
		struct str bytes = {json_string_value(text), json_string_length(text)};
		const char *slash = strrchr(path, '/');
		if (result_is_ok(result))
			result = file_make_directory(
				&c, str_print(arena, "%.*s", (int) (slash - path), path).p, 0700);
		if (result_is_ok(result))
			result = file_write_synced(&c, path, bytes, 0600);
	}
	if (!result_is_ok(result))
		fprintf(stderr, "dari: %" STR_FMT "\n", STR_ARG(c.problem.message));
	return result_is_ok(result);
}

static int print_outcome(const struct command *command, const struct client_place *place, struct arena *a,
			 const json_t *outcome, bool as_json)
{
	const json_t *message = json_object_get(outcome, "message"), *text = json_object_get(outcome, "text");
	if (message) {
		struct str said = {json_string_value(message), json_string_length(message)};
		said = clean_for(place, a, STDERR_FILENO, said);
		fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(said));
		return 1;
	}
	/* the server chooses the paths, so only the local server is trusted with this */
	if (place->socket.n && !write_files(json_object_get(outcome, "files")))
		return 1;
	if (as_json && command->pages)
		print_lines(place, a, json_object_get(outcome, "value"));
	else if (as_json)
		print_value(place, a, json_object_get(outcome, "value"), JSON_INDENT(2));
	else
		print_text(place, a, (struct str){json_string_value(text), json_string_length(text)});
	return (int) json_integer_value(json_object_get(outcome, "status"));
}

/* Runs a command composed in the client. Its outcome has the same form as a server's. */
static RESULT ask_place(struct ctx *c, struct client_place *place, const struct command *command,
			const json_t *args, json_t **ret_outcome)
{
	struct asking a = {
		.c = c, .place = place, .words = command->words, .args = args, .value = json_array()};
	buf_init(&a.text, BUF_ANSWER_CAP);
	struct result result = asking_find_rights(&a);
	if (result_is_ok(result))
		result = command->ask(&a);
	if (result_is_ok(result))
		result = buf_finish(&a.text);
	if (result_is_ok(result))
		*ret_outcome = json_pack("{s:i, s:s%, s:O}", "status", 0, "text", a.text.p ? a.text.p : "",
					 a.text.size, "value", a.value);
	if (result_is_ok(result) && !*ret_outcome)
		result = ctx_no_memory(c);
	json_decref(a.kept);
	json_decref(a.value);
	buf_done(&a.text);
	return result;
}

static RESULT call_place(struct ctx *c, struct client_place *place, const struct command *command,
			 json_t *args, json_t **ret_outcome)
{
	struct str cookie = place->proof.cookie;
	TRY(command->ask ? ask_place(c, place, command, args, ret_outcome)
			 : exchange(c, place, command->words, args, ret_outcome));
	if (cookie.n && !str_equal(cookie, place->proof.cookie)) /* the session was renewed */
		TRY(client_keep_proof(c, place));
	return OK;
}

/* Makes one call. *ret_goes_on: there is more output, which args now request. */
static int call_once(const struct target *target, const struct command *command, json_t *args, bool as_json,
		     bool *ret_goes_on)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, CALL_ARENA_CAP);
	struct ctx c;
	struct client_place place = {0};
	json_t *outcome = NULL;
	ctx_init(&c, arena);
	*ret_goes_on = false;
	struct result result = find_place(&c, target, &place);
	if (result_is_ok(result))
		result = call_place(&c, &place, command, args, &outcome);
	if (!result_is_ok(result)) {
		/* the connection failed rather than the command */
		bool is_way = result.code == ERR_GONE || !place.url.n;
		fprintf(stderr, "dari%s%s: %" STR_FMT "\n", is_way ? "" : " ", is_way ? "" : command->words,
			STR_ARG(c.problem.message));
		json_decref(outcome);
		return 1;
	}
	int status = print_outcome(command, &place, arena, outcome, as_json);
	json_t *more = json_object_get(outcome, "more");
	if (status == 0 && more && fflush(stdout) == 0) {
		*ret_goes_on = json_object_update(args, more) == 0;
		if (json_is_true(json_object_get(outcome, "waits")))
			(void) poll(NULL, 0, FOLLOW_MS);
	}
	json_decref(outcome);
	return status;
}

static int call_server(const struct target *target, const struct command *command, json_t *args, bool as_json)
{
	bool goes_on = true;
	int status = 0;
	if (target->url && !command->ask && !command->is_anywhere) {
		fprintf(stderr,
			"dari %s: has to do with the server's own machine: type it there, without --url\n",
			command->words);
		return EXIT_USAGE;
	}
	while (goes_on)
		status = call_once(target, command, args, as_json, &goes_on);
	return status;
}

static enum err find_err(const char *name)
{
	for (enum err code = ERR_NONE; code < ERR_COUNT; code++)
		if (strcmp(err_name(code), name) == 0)
			return code;
	return ERR_IO;
}

/* Runs a command on the server, for another one. A connection failure has already been printed. */
RESULT client_ask(struct ctx *c, const char *config_path, const char *words, json_t *args, json_t **ret_value)
{
	struct client_place place = {0};
	json_t *outcome = NULL;
	struct result reached = client_find_here(c, config_path, &place);
	if (result_is_ok(reached))
		reached = call_place(c, &place, command_find(str_from(words)), args, &outcome);
	if (!outcome && (reached.code == ERR_GONE || !place.socket.n)) {
		fprintf(stderr, "dari: %" STR_FMT "\n", STR_ARG(c->problem.message));
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_GONE, "the server has to run for this");
	}
	const char *error = json_string_value(json_object_get(outcome, "error"));
	struct result result = reached;
	if (result_is_ok(result) && error)
		result = ctx_fail(c, find_err(error), "%s",
				  json_string_value(json_object_get(outcome, "message")));
	else if (result_is_ok(result) && ret_value)
		*ret_value = json_incref(json_object_get(outcome, "value"));
	json_decref(outcome);
	return result;
}

static bool is_here(const struct command *command, const json_t *args)
{
	return command->is_here ? command->is_here(args) : command->run_here != NULL;
}

/* Parses `--config FILE` etc. before the command. Returns the first other word; NULL: a value is missing. */
static char **read_options(int *argc, char **argv, struct target *target)
{
	while (*argc > 0) {
		const char **to = strcmp(argv[0], "--config") == 0    ? &target->config_path
				  : strcmp(argv[0], "--url") == 0     ? &target->url
				  : strcmp(argv[0], "--ca-file") == 0 ? &target->ca
								      : NULL;
		if (!to)
			break;
		if (*argc < 2) {
			fprintf(stderr, "dari: %s wants a value\n", argv[0]);
			return NULL;
		}
		*to = argv[1];
		*argc -= 2, argv += 2;
	}
	return argv;
}

static int run_here(const struct target *target, const struct command *command, json_t *args)
{
	if (!target->url)
		return command->run_here(command, args, target->config_path);
	fprintf(stderr, "dari %s: runs on this machine alone: leave --url out before it\n", command->words);
	return EXIT_USAGE;
}

/* The words before the first option, with blanks between them. */
static void join_words(int argc, char **argv, size_t size, char *ret_words)
{
	size_t n = 0;
	ret_words[0] = '\0';
	for (int k = 0; k < argc && argv[k][0] != '-' && n < size; k++)
		n += (size_t) snprintf(ret_words + n, size - n, "%s%s", k ? " " : "", argv[k]);
}

/* Handles a group's words alone, such as `dari host` and `dari backup machine --help`. False: something else. */
static bool explains_group(int argc, char **argv)
{
	char words[GROUP_SIZE];
	join_words(argc, argv, sizeof words, words);
	return help_is_group(words) && help_print_group(words) == 0;
}

static int refuse_unknown(int argc, char **argv)
{
	const char *second = argc > 1 && help_is_group(argv[0]) ? argv[1] : "";
	fprintf(stderr, "dari: no such command: %s%s%s (`dari help` lists them)\n", argv[0],
		*second ? " " : "", second);
	help_suggest_command(argc, argv);
	return EXIT_USAGE;
}

/* Handles `dari help`, `dari help host`, `dari help host list`. */
static int explain(int argc, char **argv)
{
	int used = 0;
	const struct command *command = argc ? match_words(argc, argv, &used) : NULL;
	if (!argc)
		return help_print_all();
	if (command && (used == argc || !help_is_group(command->words)))
		return help_print_command(command);
	return explains_group(argc, argv) ? 0 : refuse_unknown(argc, argv);
}

static int run_command(const struct target *target, int argc, char **argv)
{
	int used = 0;
	const struct command *command = match_words(argc, argv, &used);
	const bool is_whole = command && (argc == used || argv[used][0] == '-');
	if (!is_whole && explains_group(argc, argv)) /* "backup machine" is no target of `dari backup` */
		return 0;
	if (!command)
		return refuse_unknown(argc, argv);
	json_t *args = json_object();
	bool as_json = false;
	int status = parse_args(command, argc - used, argv + used, args, &as_json);
	if (status == 0)
		status = is_here(command, args) ? run_here(target, command, args)
						: call_server(target, command, args, as_json);
	json_decref(args);
	return status < 0 ? 0 : status;
}

int client_main(int argc, char **argv)
{
	struct target target = {.config_path = getenv("DARI_CONFIG")};
	if (!target.config_path || !*target.config_path)
		target.config_path = help_default_config;
	argc--;
	argv = read_options(&argc, argv + 1, &target);
	if (!argv)
		return EXIT_USAGE;
	if (argc == 0 || is_help(argv[0]))
		return help_print_all();
	if (strcmp(argv[0], "help") == 0)
		return explain(argc - 1, argv + 1);
	if (strcmp(argv[0], "--version") == 0)
		return print_version();
	return run_command(&target, argc, argv);
}

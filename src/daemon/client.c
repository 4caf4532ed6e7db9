/* SPDX-License-Identifier: Apache-2.0
 * The client's side of the commands: the command line, the control socket, what is printed. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/command.h"

enum { EXIT_USAGE = 2, ANSWER_CAP = 256 * 1024 * 1024, FOLLOW_MS = 1000 };

static const char default_config[] = "/etc/dari/dari.yaml";

/* ---- help ---- */

static void print_usage(const struct command *command)
{
	printf("usage: dari %s", command->words);
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		const char *open = p->required ? "" : "[", *close = p->required ? "" : "]";
		if (p->kind == PARAM_POSITIONAL)
			printf(" %s%s%s", open, p->name, close);
		else
			printf(" %s--%s%s%s", open, p->name, p->kind == PARAM_OPTION ? " …" : "", close);
	}
	printf("%s\n  %s\n", command->run ? " [--json]" : "", command->doc);
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		printf("  %s%-20s %s\n", p->kind == PARAM_POSITIONAL ? "  " : "--", p->name, p->doc);
}

static void print_line(void *arg, const struct command *command)
{
	(void) arg;
	printf("  %-22s %s\n", command->words, command->doc);
}

/* Of `dari host`: the commands that begin so. */
static void suggest_line(void *arg, const struct command *command)
{
	struct str first = STR_NONE, words = str_from(command->words);
	if (str_split_next(&words, ' ', &first) && str_is(first, arg) && words.n)
		fprintf(stderr, "  dari %-22s %s\n", command->words, command->doc);
}

static int print_help(void)
{
	printf("dari: one open cloud control plane\n\nusage: dari [--config FILE] COMMAND …\n\n");
	command_each(print_line, NULL);
	printf("\n`dari COMMAND --help` explains one; `dari --version` prints the version.\n"
	       "The configuration is %s, or DARI_CONFIG's.\n",
	       default_config);
	return 0;
}

static int print_version(void)
{
	printf("dari " DARI_VERSION "\n");
	return 0;
}

/* ---- the command line ---- */

/* The longest command that the first words name; *ret_used: how many words it took. */
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

/* NULL, or what is wrong. */
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

/* The server has another working directory. NULL, or what is wrong. */
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

/* One "--name value", "--name=value" or "--flag" at argv[*at]. NULL, or what is wrong. */
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
		if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0) {
			print_usage(command);
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

static int connect_to(struct ctx *c, const char *config_path)
{
	struct settings settings = {0};
	if (!result_is_ok(settings_load(c, config_path, &settings))) {
		fprintf(stderr,
			"dari: %.*s\n  `dari init` makes a configuration; --config FILE names another one.\n",
			STR_ARG(c->problem.message));
		return -1;
	}
	const char *path = str_to_z(c->arena, settings.control_socket);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0)
		return fd;
	fprintf(stderr,
		"dari: cannot reach the server at %s: %s\n  Is `dari serve` running? Its log says why not.\n",
		path, strerror(errno));
	if (fd >= 0)
		(void) close(fd);
	return -1;
}

static json_t *exchange(int fd, const struct command *command, json_t *args)
{
	json_t *request = json_pack("{s:s, s:O}", "command", command->words, "args", args);
	char *text = json_dumps(request, JSON_COMPACT);
	struct buf answer;
	buf_init(&answer, ANSWER_CAP);
	bool sent = text && dprintf(fd, "%s\n", text) > 0;
	char piece[4096];
	ssize_t n = 0;
	while (sent && (n = read(fd, piece, sizeof piece)) > 0)
		buf_add(&answer, piece, (size_t) n);
	json_error_t where;
	json_t *parsed = json_loadb(answer.p ? answer.p : "", answer.size, 0, &where);
	buf_done(&answer);
	free(text);
	json_decref(request);
	return parsed;
}

static void print_lines(const json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++) {
		(void) json_dumpf(json_array_get(list, k), stdout, JSON_COMPACT);
		(void) putchar('\n');
	}
}

/* Files of secrets, for whoever typed the command. */
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

static int print_answer(const struct command *command, const json_t *answer, bool as_json)
{
	const char *message = json_string_value(json_object_get(answer, "message"));
	if (!answer || message) {
		fprintf(stderr, "dari %s: %s\n", command->words,
			message ? message : "the server ended without an answer");
		return 1;
	}
	if (!write_files(json_object_get(answer, "files")))
		return 1;
	if (as_json && command->pages) {
		print_lines(json_object_get(answer, "value"));
	} else if (as_json) {
		(void) json_dumpf(json_object_get(answer, "value"), stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
		(void) putchar('\n');
	} else {
		const json_t *text = json_object_get(answer, "text");
		(void) fwrite(json_string_value(text), 1, json_string_length(text), stdout);
	}
	return (int) json_integer_value(json_object_get(answer, "status"));
}

/* One call. *ret_goes_on: the answer has more, which args ask for now. */
static int call_once(const char *config_path, const struct command *command, json_t *args, bool as_json,
		     bool *ret_goes_on)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	AUTO_FD fd = connect_to(&c, config_path);
	*ret_goes_on = false;
	if (fd < 0)
		return 1;
	json_t *answer = exchange(fd, command, args);
	int status = print_answer(command, answer, as_json);
	json_t *more = json_object_get(answer, "more");
	if (status == 0 && more && fflush(stdout) == 0) {
		*ret_goes_on = json_object_update(args, more) == 0;
		if (json_is_true(json_object_get(answer, "waits")))
			(void) poll(NULL, 0, FOLLOW_MS);
	}
	json_decref(answer);
	return status;
}

static int call_server(const char *config_path, const struct command *command, json_t *args, bool as_json)
{
	bool goes_on = true;
	int status = 0;
	while (goes_on)
		status = call_once(config_path, command, args, as_json, &goes_on);
	return status;
}

static enum err find_err(const char *name)
{
	for (enum err code = ERR_NONE; code < ERR_COUNT; code++)
		if (strcmp(err_name(code), name) == 0)
			return code;
	return ERR_IO;
}

RESULT client_ask(struct ctx *c, const char *config_path, const char *words, json_t *args, json_t **ret_value)
{
	AUTO_FD fd = connect_to(c, config_path);
	if (fd < 0)
		return ctx_fail(c, ERR_GONE, "the server has to run for this");
	json_t *answer = exchange(fd, command_find(str_from(words)), args);
	const char *error = json_string_value(json_object_get(answer, "error"));
	json_t *message = json_object_get(answer, "message");
	struct result result = !answer ? ctx_fail(c, ERR_IO, "the server ended without an answer") : OK;
	if (error)
		result = ctx_fail(c, find_err(error), "%s", json_string_value(message));
	else if (answer && ret_value)
		*ret_value = json_incref(json_object_get(answer, "value"));
	json_decref(answer);
	return result;
}

static bool is_here(const struct command *command, const json_t *args)
{
	return command->is_here ? command->is_here(args) : !command->run;
}

int client_main(int argc, char **argv)
{
	const char *config_path = getenv("DARI_CONFIG");
	if (!config_path || !*config_path)
		config_path = default_config;
	argc--, argv++;
	if (argc >= 2 && strcmp(argv[0], "--config") == 0) {
		config_path = argv[1];
		argc -= 2, argv += 2;
	}
	if (argc == 0 || strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "-h") == 0)
		return print_help();
	if (strcmp(argv[0], "--version") == 0)
		return print_version();
	int used = 0;
	const struct command *command = match_words(argc, argv, &used);
	if (!command) {
		fprintf(stderr, "dari: no such command: %s (`dari help` lists them)\n", argv[0]);
		command_each(suggest_line, argv[0]);
		return EXIT_USAGE;
	}
	json_t *args = json_object();
	bool as_json = false;
	int status = parse_args(command, argc - used, argv + used, args, &as_json);
	if (status == 0)
		status = is_here(command, args) ? command->run_here(command, args, config_path)
						: call_server(config_path, command, args, as_json);
	json_decref(args);
	return status < 0 ? 0 : status;
}

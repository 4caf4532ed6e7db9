/* SPDX-License-Identifier: Apache-2.0
 * dari login, dari logout: sessions at remote servers, for dari --url. */
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/client/client.h"
#include "daemon/command.h"

enum { SECRET_MAX = 1024 };

static struct str arg_of(const json_t *args, const char *name)
{
	const json_t *value = json_object_get(args, name);
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* ---- secrets ---- */

/* Reads a line without echo. False: none. */
static bool ask_hidden(const char *prompt, char line[static SECRET_MAX])
{
	struct termios shown, hidden;
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &shown) != 0)
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t) ECHO;
	fprintf(stderr, "%s: ", prompt);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
		return false;
	bool is_read = fgets(line, SECRET_MAX, stdin) != NULL;
	(void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fprintf(stderr, "\n");
	line[strcspn(line, "\n")] = 0;
	return is_read && *line;
}

/* Takes the secret from standard input if the option says so, else prompts for it and stores it in args. */
static RESULT find_secret(struct ctx *c, json_t *args, const char *option, const char *prompt,
			  struct str *ret_secret)
{
	char line[SECRET_MAX] = "";
	*ret_secret = arg_of(args, option);
	if (ret_secret->n)
		return OK;
	if (!ask_hidden(prompt, line))
		return ctx_fail(c, ERR_MISSING, "--%s is missing: it reads it from standard input", option);
	if (json_object_set_new(args, option, json_string(line)))
		return ctx_fail(c, ERR_INVALID, "what was typed is not UTF-8");
	*ret_secret = arg_of(args, option);
	return OK;
}

static void set_text(json_t *body, const char *name, struct str value)
{
	if (value.n)
		(void) json_object_set_new(body, name, json_stringn(value.p, value.n));
}

/* Extracts TICKET from "https://cloud.example.org/console/#t=TICKET". */
static struct str ticket_of(struct str link)
{
	static const char mark[] = "#t=";
	for (size_t k = 0; k + sizeof mark <= link.n; k++)
		if (str_starts_with(str_slice(link, k, link.n), STR("#t=")))
			return str_slice(link, k + sizeof mark - 1, link.n);
	return link;
}

/* Builds the body of POST /session from the given credential. */
static RESULT write_wish(struct ctx *c, json_t *args, json_t *body)
{
	struct str key_id = arg_of(args, "access-key"), ticket = arg_of(args, "ticket"),
		   user = arg_of(args, "user"), secret = STR_NONE;
	if (!!key_id.n + !!ticket.n + !!user.n != 1)
		return ctx_fail(
			c, ERR_COMBINATION,
			"one of --user, --access-key and --ticket says who signs in (--help explains)");
	if (ticket.n) {
		set_text(body, "ticket", ticket_of(ticket));
		return OK;
	}
	if (key_id.n) {
		TRY(find_secret(c, args, "secret-stdin", "Secret access key", &secret));
		set_text(body, "access_key", key_id);
		set_text(body, "secret", secret);
		return OK;
	}
	TRY(find_secret(c, args, "password-stdin", "Password", &secret));
	set_text(body, "user", user);
	set_text(body, "domain", arg_of(args, "domain"));
	set_text(body, "password", secret);
	set_text(body, "totp", arg_of(args, "totp"));
	return OK;
}

/* ---- the session ---- */

static RESULT open_session(struct ctx *c, json_t *args, struct client_place *place, json_t **ret_session)
{
	json_t *body = json_object();
	struct result result = write_wish(c, args, body);
	if (result_is_ok(result))
		result = client_call(c, place, &(struct client_request){"POST", "/session", NULL, body},
				     ret_session);
	json_decref(body);
	TRY(result);
	if (place->proof.cookie.n)
		return OK;
	json_decref(*ret_session);
	return ctx_fail(c, ERR_IO, "%" STR_FMT " opened no session.", STR_ARG(place->url));
}

static RESULT choose_account(struct ctx *c, const json_t *args, struct client_place *place, json_t **session)
{
	json_t *body = json_object(), *answer = NULL;
	struct str account = arg_of(args, "account");
	set_text(body, "account", account);
	struct result result =
		account.n
			? client_call(c, place,
				      &(struct client_request){"POST", "/session/scope", NULL, body}, &answer)
			: OK;
	json_decref(body);
	if (answer) {
		json_decref(*session);
		*session = answer;
	}
	return result;
}

static RESULT end_session(struct ctx *c, struct client_place *place)
{
	json_t *answer = NULL;
	TRY(client_call(c, place, &(struct client_request){"DELETE", "/session", NULL, NULL}, &answer));
	json_decref(answer);
	return OK;
}

/* An access key remains valid: it signs later requests, and needs no session. */
static RESULT keep(struct ctx *c, const json_t *args, struct client_place *place, const json_t *session)
{
	struct str key_id = arg_of(args, "access-key"), secret = arg_of(args, "secret-stdin");
	const json_t *region = json_object_get(session, "region");
	if (!key_id.n)
		return client_keep_proof(c, place);
	TRY(end_session(c, place));
	place->proof = (struct client_proof){
		.key_id = key_id,
		.secret = secret,
		.region = {json_string_value(region), json_string_length(region)},
	};
	return client_keep_proof(c, place);
}

static const char *name_of(const json_t *session, const char *what)
{
	const char *name = json_string_value(json_object_get(json_object_get(session, what), "name"));
	return name ? name : "-";
}

static bool is_admin(const json_t *session)
{
	size_t k = 0;
	const json_t *right = NULL;
	json_array_foreach (json_object_get(session, "rights"), k, right)
		if (json_is_string(right) && strcmp(json_string_value(right), "admin") == 0)
			return true;
	return false;
}

static RESULT read_place(struct ctx *c, const json_t *args, struct client_place *place)
{
	struct str ca = arg_of(args, "ca-file");
	TRY(client_read_url(c, arg_of(args, "url"), place));
	place->ca = ca;
	return OK;
}

static RESULT login(struct ctx *c, json_t *args)
{
	struct client_place place = {0};
	json_t *session = NULL;
	TRY(read_place(c, args, &place));
	TRY(open_session(c, args, &place, &session));
	struct result result = choose_account(c, args, &place, &session);
	if (result_is_ok(result))
		result = keep(c, args, &place, session);
	if (result_is_ok(result)) {
		struct str said = client_clean_text(
			c->arena, str_print(c->arena, "signed in as %s for the account %s%s",
					    name_of(session, "user"), name_of(session, "account"),
					    is_admin(session) ? ", an administrator of the region" : ""));
		printf("%" STR_FMT "\n", STR_ARG(said));
	}
	json_decref(session);
	return result;
}

static RESULT logout(struct ctx *c, json_t *args)
{
	struct client_place place = {0};
	TRY(read_place(c, args, &place));
	struct str ca = place.ca;
	TRY(client_find_proof(c, &place));
	if (ca.n)
		place.ca = ca;
	struct result ended = place.proof.cookie.n ? end_session(c, &place) : OK;
	place.proof = (struct client_proof){0};
	if (ended.code == ERR_UNAUTHENTICATED) { /* it had already ended */
		ctx_clear_problem(c);
		ended = OK;
	}
	TRY(client_keep_proof(c, &place));
	TRY(ended);
	printf("signed out\n");
	return OK;
}

static int run(const struct command *command, json_t *args, RESULT (*what)(struct ctx *c, json_t *args))
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct result result = what(&c, args);
	if (!result_is_ok(result))
		fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(c.problem.message));
	return result_is_ok(result) ? 0 : 1;
}

static int login_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	return run(command, args, login);
}

static int logout_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	return run(command, args, logout);
}

#define PLACE                                                                                                \
	{"url", PARAM_OPTION, true, "The server, as https://cloud.example.org:8788."},                       \
	{                                                                                                    \
		"ca-file", PARAM_OPTION, false, "CA certificate of the server (default: the system's).",     \
			.is_path = true                                                                      \
	}
const struct command login_commands[] = {
	{"login",
	 "Signs in at a server on another machine, for dari --url URL. The session is stored in "
	 "~/.config/dari, readable only for you.",
	 {PLACE,
	  {"user", PARAM_OPTION, false,
	   "User, to sign in by password. The session ends after 30 minutes without a command."},
	  {"domain", PARAM_OPTION, false, "The user's domain (default: Default)."},
	  {"password-stdin", PARAM_STDIN, false,
	   "Reads the password from standard input (default: asks for it)."},
	  {"totp", PARAM_OPTION, false, "Code of the user's authenticator app."},
	  {"access-key", PARAM_OPTION, false,
	   "Access key ID, to sign in by access key. It does not expire, and gives no administrator rights."},
	  {"secret-stdin", PARAM_STDIN, false,
	   "Reads its secret from standard input (default: asks for it)."},
	  {"ticket", PARAM_OPTION, false, "Link printed by `dari console` on the server's machine."},
	  {"account", PARAM_OPTION, false, "Account to act for (default: the user's own)."}},
	 .run_here = login_here},
	{"logout",
	 "Ends the session at that server and deletes the stored login.",
	 {PLACE},
	 .run_here = logout_here},
	{0},
};

/* SPDX-License-Identifier: Apache-2.0
 * Lists of services with their categories, severity levels and languages, for opening cases. Only services that
 * this region implements are listed. Codes that AWS does not document are guessed. */
#include "api/support/internal.h"

struct category {
	const char *code, *name;
};
enum { CATEGORIES_MAX = 6 };
static const struct service {
	const char *code, *name;
	struct category categories[CATEGORIES_MAX];
} services[] = {
	{"amazon-elastic-compute-cloud-linux",
	 "Elastic Compute Cloud (EC2 - Linux)",
	 {{"instance-issue", "Instance Issue"},
	  {"networking", "Networking"},
	  {"license", "Licence"},
	  {"other", "Other"}}},
	{"amazon-elastic-compute-cloud-windows",
	 "Elastic Compute Cloud (EC2 - Windows)",
	 {{"instance-issue", "Instance Issue"},
	  {"networking", "Networking"},
	  {"license", "Licence"},
	  {"other", "Other"}}},
	{"amazon-elastic-block-store",
	 "Elastic Block Store (EBS)",
	 {{"volume-issue", "Volume Issue"}, {"snapshot", "Snapshot"}, {"other", "Other"}}},
	{"amazon-virtual-private-cloud",
	 "Virtual Private Cloud (VPC)",
	 {{"connectivity", "Connectivity"}, {"other", "Other"}}},
	{"aws-identity-and-access-management",
	 "Identity and Access Management (IAM)",
	 {{"policy", "Policy"}, {"other", "Other"}}},
	{"billing", "Billing", {{"invoice", "Invoice"}, {"other", "Other"}}},
	{"customer-account", "Account", {{"security", "Security"}, {"other", "Other"}}},
	{"service-limit-increase",
	 "Service Limit Increase",
	 {{"service-limit", "Service Limit"}, {"other", "Other"}}},
	{"general-info", "General Info and Getting Started", {{"other", "Other"}}},
};
enum { SERVICES = sizeof services / sizeof services[0] };

static const struct service *find_service(struct str code)
{
	for (size_t k = 0; k < SERVICES; k++)
		if (str_is(code, services[k].code))
			return &services[k];
	return NULL;
}

bool support_has_service(struct str service)
{
	return find_service(service) != NULL;
}

bool support_has_category(struct str service, struct str category)
{
	const struct service *s = find_service(service);
	for (size_t k = 0; s && k < CATEGORIES_MAX && s->categories[k].code; k++)
		if (str_is(category, s->categories[k].code))
			return true;
	return false;
}

/* ---- services ---- */

struct services_args {
	struct strs codes;
	struct str language;
};
static const struct param services_params[] = {
	PARAM(struct services_args, "serviceCodeList", codes, .max = 100, .doc = "Services by code."),
	PARAM(struct services_args, "language", language, .min = 2, .max = 2,
	      .doc = "Language; names are in English in any case."),
};

static bool is_asked(struct strs codes, const char *code)
{
	for (size_t k = 0; k < codes.count; k++)
		if (str_is(codes.at[k], code))
			return true;
	return !codes.count;
}

static RESULT answer_services(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct services_args *a = args;
	(void) e;
	json_write_open_list(w, "services");
	for (size_t k = 0; k < SERVICES; k++) {
		if (!is_asked(a->codes, services[k].code))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "code", services[k].code);
		json_write_z(w, "name", services[k].name);
		json_write_open_list(w, "categories");
		for (size_t n = 0; n < CATEGORIES_MAX && services[k].categories[n].code; n++) {
			json_write_open(w, NULL);
			json_write_z(w, "code", services[k].categories[n].code);
			json_write_z(w, "name", services[k].categories[n].name);
			json_write_close(w);
		}
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- severities ---- */

struct language_args {
	struct str language;
};
static const struct param language_params[] = {
	PARAM(struct language_args, "language", language, .min = 2, .max = 2,
	      .doc = "Language; names are in English in any case."),
};

static RESULT answer_severities(struct target_call *e, const void *args, struct json_writer *w)
{
	static const char *const names[] = {"Low", "Normal", "High", "Urgent", "Critical"};
	(void) e;
	(void) args;
	json_write_open_list(w, "severityLevels");
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "code", support_ticket_severity_words[k]);
		json_write_z(w, "name", names[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- how to open one ---- */

struct options_args {
	struct str service, category, issue, language;
};
#define OPTIONS_PARAMS                                                                                       \
	PARAM(struct options_args, "issueType", issue, .flags = REQUIRED,                                    \
	      .words = "technical|customer-service", .doc = "Type of the issue."),                           \
		PARAM(struct options_args, "serviceCode", service, .flags = REQUIRED,                        \
		      .doc = "Service code, from DescribeServices."),                                        \
		PARAM(struct options_args, "categoryCode", category, .flags = REQUIRED,                      \
		      .doc = "Category code, from DescribeServices.")
static const struct param options_params[] = {
	OPTIONS_PARAMS,
	PARAM(struct options_args, "language", language, .flags = REQUIRED, .min = 2, .max = 2,
	      .doc = "Language of the texts."),
};
static const struct param languages_params[] = {OPTIONS_PARAMS};

static RESULT prepare_options(struct target_call *e, void *args)
{
	struct options_args *a = args;
	if (!support_has_service(a->service))
		return target_fail_member(e->c, "serviceCode", a->service,
					  "be a service's code, as DescribeServices lists them");
	if (!support_has_category(a->service, a->category))
		return target_fail_member(e->c, "categoryCode", a->category,
					  "be a category's code of that service");
	return OK;
}

static RESULT answer_options(struct target_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_z(w, "languageAvailability", "available");
	json_write_open_list(w, "communicationTypes");
	json_write_open(w, NULL);
	json_write_z(w, "type", "web");
	json_write_open_list(w, "supportedHours");
	json_write_open(w, NULL);
	json_write_z(w, "startTime", "00:00");
	json_write_z(w, "endTime", "23:59");
	json_write_close(w);
	json_write_close_list(w);
	json_write_open_list(w, "datesWithoutSupport");
	json_write_close_list(w);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT answer_languages(struct target_call *e, const void *args, struct json_writer *w)
{
	static const struct {
		const char *code, *language, *display;
	} languages[] = {{"en", "English", "English"},
			 {"ja", "Japanese", "日本語"},
			 {"ko", "Korean", "한국어"},
			 {"zh", "Chinese", "中文"}};
	(void) e;
	(void) args;
	json_write_open_list(w, "supportedLanguages");
	for (size_t k = 0; k < sizeof languages / sizeof languages[0]; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "code", languages[k].code);
		json_write_z(w, "language", languages[k].language);
		json_write_z(w, "display", languages[k].display);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct target_action rows[] = {
	{SUPPORT_ACTION("DescribeServices"), .args = PARAMS(struct services_args, services_params),
	 .doc = "Lists the services that cases can be about.", .answer = answer_services},
	{SUPPORT_ACTION("DescribeSeverityLevels"), .args = PARAMS(struct language_args, language_params),
	 .doc = "Lists the severity levels.", .answer = answer_severities},
	{SUPPORT_ACTION("DescribeCreateCaseOptions"), .args = PARAMS(struct options_args, options_params),
	 .doc = "Returns how cases are opened: in writing, at any time.", .prepare = prepare_options,
	 .answer = answer_options},
	{SUPPORT_ACTION("DescribeSupportedLanguages"), .args = PARAMS(struct options_args, languages_params),
	 .doc = "Lists the languages that a case can be in.", .prepare = prepare_options,
	 .answer = answer_languages},
};
const struct api_actions support_word_actions = API_ACTIONS(rows);

/* SPDX-License-Identifier: Apache-2.0
 * Maps failures by kind of failure and resource to IAM's codes and HTTP statuses, and writes the error
 * document. */
#include "api/iam/internal.h"
#include "api/query/query_call.h"

/* The first matching row applies. */
static const struct api_error rows[] = {
	{ERR_INVALID, 0, 400, "MalformedPolicyDocument", "PolicyDocument"},
	{ERR_INVALID, 0, 400, "InvalidInput", "PolicyInputList"},
	{ERR_INVALID, 0, 400, "InvalidInput", "PermissionsBoundary"},
	{ERR_INVALID, 0, 400, "InvalidInput", "Tag.Key"}, /* reserved key; code and text are unverified */
	{ERR_INVALID, KIND_ACCOUNT, 400, "PasswordPolicyViolation"},
	{ERR_INVALID, KIND_PUBLIC_CREDENTIAL, 400, "InvalidPublicKey", "SSHPublicKeyBody"},
	{ERR_UNSUPPORTED, KIND_PUBLIC_CREDENTIAL, 400, "UnrecognizedPublicKeyEncoding"},
	{ERR_INVALID, KIND_PUBLIC_CREDENTIAL, 400, "MalformedCertificate", "CertificateBody"},
	{ERR_STATE, KIND_PUBLIC_CREDENTIAL, 400, "InvalidCertificate"},
	{ERR_EXISTS, KIND_PUBLIC_CREDENTIAL, 400, "DuplicateSSHPublicKey", "SSHPublicKeyBody"},
	{ERR_EXISTS, KIND_PUBLIC_CREDENTIAL, 409, "DuplicateCertificate"},
	{ERR_INVALID, KIND_SERVER_CERTIFICATE, 400, "MalformedCertificate"},
	{ERR_COMBINATION, KIND_SERVER_CERTIFICATE, 400, "KeyPairMismatch"},
	{ERR_INVALID, KIND_SAML_PROVIDER, 400, "InvalidInput"},
	{ERR_INVALID, KIND_SECOND_FACTOR, 403, "InvalidAuthenticationCode"},
	{ERR_CONFLICT, 0, 409, "ConcurrentModification"},
	{ERR_PROTECTED, KIND_IAM_ROLE, 400, "UnmodifiableEntity"},
	{ERR_PROTECTED, 0, 403, "AccessDenied"},
	{ERR_COMBINATION, 0, 400, "InvalidInput"},
	QUERY_INVALID("ValidationError"),
	{ERR_UNSUPPORTED, 0, 400, "InvalidAction"},
	{ERR_NOT_FOUND, KIND_USER, 404, "NoSuchEntity", .says = "The user with name * cannot be found."},
	{ERR_NOT_FOUND, KIND_USER_GROUP, 404, "NoSuchEntity",
	 .says = "The group with name * cannot be found."},
	{ERR_NOT_FOUND, KIND_IAM_ROLE, 404, "NoSuchEntity", "DeletionTaskId"},
	{ERR_NOT_FOUND, KIND_IAM_ROLE, 404, "NoSuchEntity", .says = "The role with name * cannot be found."},
	{ERR_NOT_FOUND, KIND_INSTANCE_PROFILE, 404, "NoSuchEntity",
	 .says = "Instance Profile * cannot be found."},
	{ERR_NOT_FOUND, KIND_ACCESS_KEY, 404, "NoSuchEntity",
	 .says = "The Access Key with id * cannot be found."},
	{ERR_NOT_FOUND, KIND_CREDENTIAL_REPORT, 410, "ReportNotPresent"},
	{ERR_EXPIRED, KIND_CREDENTIAL_REPORT, 410, "ReportExpired"},
	{ERR_NOT_FOUND, 0, 404, "NoSuchEntity"},
	{ERR_EXISTS, 0, 409, "EntityAlreadyExists"},
	{ERR_IN_USE, 0, 409, "DeleteConflict"},
	{ERR_QUOTA, 0, 400, "InvalidInput", "ThumbprintList"},
	{ERR_QUOTA, 0, 409, "LimitExceeded", "Tags",
	 .says = "The number of tags has reached the maximum limit."},
	{ERR_QUOTA, 0, 409, "LimitExceeded"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	QUERY_UNAVAILABLE("ServiceFailure"),
};

const struct api_errors iam_errors = QUERY_ERRORS(rows);

RESULT iam_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return query_write_problem_document(core, p, body, IAM_NAMESPACE);
}

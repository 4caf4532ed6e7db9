# SPDX-License-Identifier: Apache-2.0
"""The services of AWS's query protocol besides EC2: versions, methods and signatures, and the documents of answers and errors."""
import contextlib
import re

from dev import Dev

# name: service in the scope of signatures, version of the API, an action that needs no parameter, namespace of answers
SERVICES = {
    "iam": ("iam", "2010-05-08", "ListUsers", "https://iam.amazonaws.com/doc/2010-05-08/"),
    "sts": ("sts", "2011-06-15", "GetCallerIdentity", "https://sts.amazonaws.com/doc/2011-06-15/"),
    "autoscaling": ("autoscaling", "2011-01-01", "DescribeAutoScalingGroups", "http://autoscaling.amazonaws.com/doc/2011-01-01/"),
    "cloudwatch": ("monitoring", "2010-08-01", "DescribeAlarms", "http://monitoring.amazonaws.com/doc/2010-08-01/"),
    "elb": ("elasticloadbalancing", "2015-12-01", "DescribeLoadBalancers", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"),
    "elb_classic": ("elasticloadbalancing", "2012-06-01", "DescribeLoadBalancers", "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"),
    "sns": ("sns", "2010-03-31", "ListTopics", "http://sns.amazonaws.com/doc/2010-03-31/"),
    "sqs": ("sqs", "2012-11-05", "ListQueues", "http://queue.amazonaws.com/doc/2012-11-05/"),
}
NO_ACTION = {"sts": "ValidationError"}  # of the others: MissingAction
NO_VERSION = {"sts": "ValidationError", "sqs": None}  # None: the call is answered, as in SQS's own examples
FORM = "application/x-www-form-urlencoded"


class Query:
    name, actions = "query", {}
    cases = {kind: list(SERVICES) for kind in ("answer", "bad_action", "no_action", "bad_version", "no_version", "unsigned", "bad_signature", "unknown_key")}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield dev

    def answer(self, dev, name):
        service, version, action, namespace = SERVICES[name]
        answer = dev.account.ok(action, service=service, version=version)
        assert (answer.root.tag, answer.xmlns) == (action + "Response", namespace)
        assert answer.headers["Content-Type"].startswith("text/xml")
        identifier = answer.first("ResponseMetadata/RequestId")
        assert answer.headers["x-amzn-RequestId"] == identifier and re.fullmatch("[0-9a-f-]{36}", identifier)
        assert answer.same() == dev.account.ok(action, service=service, version=version, method="GET").same()

    def refused(self, name, answer, status, code, words=""):
        """The error document of the service itself. Clients read the code from it."""
        assert (answer.status, answer.root.tag, answer.xmlns) == (status, "ErrorResponse", SERVICES[name][3]), answer.text
        assert (answer.first("Error/Type"), answer.first("Error/Code")) == ("Sender", code), answer.text
        assert words in answer.first("Error/Message"), answer.text
        assert answer.first("RequestId") == answer.headers["x-amzn-RequestId"]

    def bad_action(self, dev, name):
        service, version, _, _ = SERVICES[name]
        self.refused(name, dev.account.call("LaunchRockets", service=service, version=version), 400, "InvalidAction", "LaunchRockets")

    def no_action(self, dev, name):
        service, version, _, _ = SERVICES[name]
        self.refused(name, dev.account.call("", service=service, version=version), 400, NO_ACTION.get(name, "MissingAction"), "Action")

    def bad_version(self, dev, name):
        service, _, action, _ = SERVICES[name]
        answer = dev.account.call(action, service=service, version="1999-01-01")
        shown = "elb" if name == "elb_classic" else name  # the version tells them apart
        self.refused(shown, answer, 400, "InvalidAction", f"Could not find operation {action} for version 1999-01-01")

    def no_version(self, dev, name):
        service, _, action, _ = SERVICES[name]
        code, shown = NO_VERSION.get(name, "InvalidAction"), "elb" if name == "elb_classic" else name
        answer = dev.account.call(action, service=service, version="")
        if code:
            self.refused(shown, answer, 400, code, "ersion")
        else:
            assert answer.status == 200, answer

    def signed(self, dev, name, change):
        service, version, action, _ = SERVICES[name]
        body = f"Action={action}&Version={version}".encode()
        headers = {"Content-Type": FORM, **change(dev.account.sign("POST", "", body, service))}
        return dev.account.send("POST", "/", headers, body)

    def unsigned(self, dev, name):
        """Without a signature the version tells whose error document the client expects."""
        answer = self.signed(dev, name, lambda headers: {"Host": headers["Host"]})
        self.refused(name, answer, 403, "MissingAuthenticationToken")

    def bad_signature(self, dev, name):
        answer = self.signed(dev, name, lambda headers: {**headers, "Authorization": headers["Authorization"][:-4] + "0000"})
        self.refused(name, answer, 403, "SignatureDoesNotMatch")

    def unknown_key(self, dev, name):
        answer = self.signed(dev, name, lambda headers: {**headers, "Authorization": headers["Authorization"].replace(dev.account.key_id, "AKIA" + "Z" * 16)})
        self.refused(name, answer, 403, "InvalidClientTokenId")

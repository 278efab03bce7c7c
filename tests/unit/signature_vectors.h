// signature_vectors.h: requests that the test suites of Twilio's libraries sign (S36: its
// security page, S37: goalert). The token is 12345 for all.
#ifndef SIGNATURE_VECTORS_H
#define SIGNATURE_VECTORS_H

#include <stddef.h>

#define TOKEN  "12345"
#define SECURE "https://mycompany.com"
#define PATH   "/myapp.php?foo=1&bar=2"
#define PARAMS                                                                           \
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234"                        \
    "&From=%2B14158675309&To=%2B18005551212"
#define REASONS    PARAMS "&ReasonConferenceEnded=test&Reason=Participant"
#define BODY       "{\"property\": \"value\", \"boolean\": true}"
#define BODY_HASH  "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
#define EMPTY_HASH "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define SHA256_OF_NOTHING                                                                \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S1_SIGNATURE "RSOYDt4T1cUTdK1PDd93/VVr8B8="

struct row {
    const char *what, *base, *target;
    const char *form;  // encoded; NULL: the body is no form
    const char *body;
    const char *header;
};

static const struct row vectors[] = {
    { "S1", "https://mycompany.com", PATH, PARAMS, NULL, "RSOYDt4T1cUTdK1PDd93/VVr8B8=" },
    { "S2", "https://mycompany.com:443", PATH, PARAMS, NULL,
      "kvajT1Ptam85bY51eRf/AJRuM3w=" },
    { "S3", "http://mycompany.com:80", PATH, PARAMS, NULL,
      "0ZXoZLH/DfblKGATFgpif+LLRf4=" },
    { "S4", "http://mycompany.com:1234", PATH, PARAMS, NULL,
      "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=" },
    { "S5", "https://mycompany.com:1234", PATH, PARAMS, NULL,
      "CYn1h0gLBdNxDGkKJg6hYohgeD8=" },
    { "S6", "https://mycompany.com", PATH, "", NULL, "zYQTYrRWXE7LtzbG4PfP7/bkkGo=" },
    { "S7", "https://mycompany.com", "/myapp.php", PARAMS, NULL,
      "1xaxFBvyzXYvWplzNOSs28HWO94=" },
    { "S8", "https://mycompany.com",
      PATH "&type=thiswontbeusedinthesignature"
           "generatorandsoshouldbeignored",
      PARAMS, NULL, "hYkNsTBttoNGkyCS0p+wWmQoRTg=" },
    { "S9", "https://mycompany.com", "/myapp.php?foo=hello%20world&bar=test%2Bvalue",
      PARAMS, NULL, "er2tvAP1Wx+iuTTE2BPgvEaN1cs=" },
    { "S10", "https://mycompany.com",
      "/webhook/Espa\xc3\xb1"
      "a?a\xc3\xb1"
      "o=2023",
      PARAMS, NULL, "G/Hx6mqqnjUNlPAoi2Sp9bGst0g=" },
    { "S11", "https://mycompany.com:443", "//myapp.php?foo=1&bar=2", PARAMS, NULL,
      "A9lH3u16NjyiiM/+wylw5rirFUs=" },
    { "S12", "https://user:pass@mycompany.com", PATH, PARAMS, NULL,
      "CukzLTc1tT5dXEDIHm/tKBanW10=" },
    { "S13", "https://user@mycompany.com", PATH, PARAMS, NULL,
      "2YRLlVAflCqxaNicjMpJcSTgzSs=" },
    { "S14", "https://user:pass@mycompany.com:443", PATH, PARAMS, NULL,
      "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=" },
    { "S15", "https://user@mycompany.com:443", PATH, PARAMS, NULL,
      "aZfj4hyX1MLZhSS6QIL18Vn2/RA=" },
    { "S16", "https://mycompany.com", PATH "&Body=It%27s+amazing", PARAMS, NULL,
      "TfZzewPq8wqrGlMfyAud8+/IvJ0=" },
    { "S17", "https://MyCompany.com", PATH, PARAMS, NULL,
      "g9IN/x4Cft2g517EjYvEvM/W7LU=" },
    { "S18", "https://MyCompany.com:1234", PATH, PARAMS, NULL,
      "PCqOZm8cnu/L6+u5i5fuEd+Iac4=" },
    { "S19", "http://MyCompany.com", PATH, PARAMS, NULL, "XY7AlKOKL6im4yWyX84gldUrtis=" },
    { "S20", "http://username:password@MyCompany.com", PATH, PARAMS, NULL,
      "PJ08CxXr7KLPjEQCTc8LkUSMwSM=" },
    { "S21", "HTTP://username:password@MyCompany.com", PATH, PARAMS, NULL,
      "hy/l8pca+LFms4cvRdv8uiP6NGc=" },
    { "S22", "http://Username:Password@MyCompany.com", PATH, PARAMS, NULL,
      "SkTSKyDJH9kUlhItI0slbgZ1UsI=" },
    { "S23", "https://mycompany.com", PATH,
      "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", NULL,
      "IK+Dwps556ElfBT0I3Rgjkr1wJU=" },
    { "S24", "https://mycompany.com", PATH,
      "MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx",
      NULL, "83O6e2vORAoJHUNzJjDWN1jz+BA=" },
    { "S25", "https://mycompany.com", PATH,
      PARAMS "&ReasonConferenceEnded=test&Reason=Participant", NULL,
      "vOEb5UThFn24KEfnOFLQY2AE5FY=" },
    { "S26", "http://mycompany.com", PATH,
      PARAMS "&ReasonConferenceEnded=test&Reason=Participant", NULL,
      "n2xBNyzSW7rfYStDtOFiFMv7qNo=" },
    { "S27", "https://mycompany.com", PATH, "property=value&boolean=true", NULL,
      "NBdBDr/T/lgjI+tlgpXjKZQZs/k=" },
    { "S28", "https://mycompany.com", PATH,
      "Message=Hello+%26+goodbye!+%40%23$%25%5E*()&From=%2B1+(415)+867-5309"
      "&Special=unicode:+%C3%B1%C3%A1%C3%A9%C3%AD%C3%B3%C3%BA",
      NULL, "dCPiR4WtQ6QFN6pJh81CtlCcWLQ=" },
    { "S29", "https://mycompany.com", PATH,
      "Digits=&CallSid=CA1234567890ABCDE&EmptyParam=", NULL,
      "9HHp/OqQMEwdrVebHDdA/+tqjX8=" },
    { "S30", "https://mycompany.com", PATH, "Digits&CallSid=CA1234567890ABCDE&NullParam",
      NULL, "L9lTTwIlxM1xGAtLRwhOSZggRhM=" },
    { "S31", "https://mycompany.com", PATH,
      "Zebra=last&Alpha=first&Beta=second&Gamma=third", NULL,
      "enveUe73ZTVLAekHxez3Qx6JuuQ=" },
    { "S32", "https://mycompany.com", PATH,
      "callSid=lowercase&CallSid=uppercase&CALLSID=allcaps", NULL,
      "jDK7WKT8wiNrwggd4ceTv4e1MJ4=" },
    { "S33", "https://mycompany.com", PATH "&bodySHA256=" BODY_HASH, NULL, BODY,
      "a9nBmqA0ju/hNViExpshrM61xv4=" },
    { "S34", "https://mycompany.com", "/myapp.php?bodySHA256=" BODY_HASH, NULL, BODY,
      "y77kIzt2vzLz71DgmJGsen2scGs=" },
    { "S35", "https://mycompany.com:443", PATH "&bodySHA256=" EMPTY_HASH, NULL, "{}",
      "Ldidvp12m26NI7eqEvxnEpkd9Hc=" },
    { "S36", "http://mycompany.com", PATH,
      "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212", NULL,
      "HpS7PBa1Agvt4OtO+wZp75IuQa0=" },
    { "S37", "https://mycompany.com", PATH,
      "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&"
      "To=%2B18005551212",
      NULL, "GvWf1cFY/Q7PnoempGyD5oXAezc=" },
};

#endif

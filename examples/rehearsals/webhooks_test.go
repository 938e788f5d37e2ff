// For Go: each schedule of `florin rehearse` is a test of the consumer at $CONSUMER.
package webhooks

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestWebhooks(t *testing.T) {
	consumer := os.Getenv("CONSUMER")
	if consumer == "" {
		consumer = "http://127.0.0.1:9000"
	}
	list, err := exec.Command("florin", "rehearse", "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		schedule := strings.Fields(line)[0]
		t.Run(schedule, func(t *testing.T) {
			said, err := exec.Command("florin", "rehearse", consumer+"/webhooks",
				"--schedule", schedule, "--seed", "7",
				"--effects-url", consumer+"/credited/{order}").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
		})
	}
}

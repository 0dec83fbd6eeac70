package clients

import (
	"fmt"
	"time"
)

// secs writes a moment or a length of time: "30.412 s".
func secs(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

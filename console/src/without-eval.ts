// The Content-Security-Policy allows no code made from strings: tells zod so before any schema is made, or it would try.
import { z } from "zod";

z.config({ jitless: true });

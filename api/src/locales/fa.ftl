# آنچه کاربران فروشگاه می‌خوانند وقتی کاری شدنی نیست. برای هر کد یک پیام؛ نام مقدارها در domain/src/error.rs آمده است.

ALREADY_TAKEN = { $value ->
    [none] این مقدار پیش‌تر استفاده شده است.
   *[other] «{ $value }» پیش‌تر استفاده شده است.
}
AMBIGUOUS = چند دسته «{ $value }» نام دارند. مسیر کامل را بنویسید، مانند: زیورآلات > انگشتر.
ARCHIVED = این مورد بایگانی شده است. نخست آن را بازگردانید.
CYCLE = یک دسته را نمی‌توان به زیر خودش برد.
DIMENSIONS_TOO_LARGE = اندازهٔ تصویر { $width } × { $height } پیکسل است؛ بیشترین مقدار پذیرفتنی { $max } است.
GAVE_UP = پردازش آن ممکن نشد. لطفاً دوباره بارگذاری کنید.
IDEMPOTENCY_KEY_REUSED = این کلید یکتایی پیش‌تر برای درخواست دیگری به کار رفته است. کلید تازه‌ای بفرستید.
INVALID_CREDENTIALS = نشانی ایمیل یا گذرواژه نادرست است.
INVALID_FORMAT = { $value ->
    [none] شکل این مقدار درست نیست.
   *[other] شکل «{ $value }» درست نیست.
}
INVALID_CHECK_DIGIT = رقم آخر بارکد «{ $value }» با رقم‌های دیگر نمی‌خواند. لطفاً غلط تایپی را بررسی کنید.
LAST_OWNER = این آخرین مالک است. نخست کس دیگری را مالک کنید.
NOT_DEAD = تنها کاری را می‌توان از سر گرفت که رها شده باشد.
NOT_FOUND = { $value ->
    [none] چیزی با این شناسه یافت نشد.
   *[other] «{ $value }» یافت نشد.
}
NOT_EMPTY = { $count ->
    [one] هنوز یک کالا در آن هست. نخست آن را جابه‌جا یا بایگانی کنید.
   *[other] هنوز { $count } کالا در آن هست. نخست آن‌ها را جابه‌جا یا بایگانی کنید.
}
OUT_OF_RANGE = عدد باید میان { $min } و { $max } باشد.
REQUIRED = این مقدار باید وارد شود.
ROW_TOO_LARGE = این ردیف بیش از اندازه بلند است؛ هر ردیف حداکثر { $max } بایت می‌پذیرد. آیا نشان نقل‌قولی جا افتاده است؟
STALE_VERSION = در این میان کس دیگری این مورد را تغییر داده است. آن را دوباره بخوانید و سپس تغییر دهید.
THROTTLED = شمار تلاش‌ها بیش از اندازه است. { $seconds } ثانیه صبر کنید و دوباره بکوشید.
TOO_DEEP = درخت دسته‌ها حداکثر می‌تواند { $max } سطح داشته باشد.
TOO_LARGE = پرونده بیش از اندازه بزرگ است؛ بیشترین اندازهٔ پذیرفتنی { $max } بایت است.
TOO_LONG = این متن بیش از اندازه بلند است؛ حداکثر { $max } نویسه پذیرفته می‌شود.
TOO_MANY = شمار این‌ها زیاد است؛ حداکثر { $max } مورد پذیرفته می‌شود.
TOO_SHORT = این متن کوتاه است؛ دست‌کم { $min } نویسه لازم است.
UNKNOWN_COLUMN = ستون «{ $value }» شناخته نیست. نام آن را عوض کنید یا ستون را بردارید.
UNREADABLE = پرونده آسیب دیده است و خوانده نمی‌شود.
UNSUPPORTED_TYPE = این گونه پرونده پذیرفته نمی‌شود. از JPEG، PNG، WebP یا GIF استفاده کنید.

UNAUTHENTICATED = لطفاً نخست وارد شوید.
FORBIDDEN = شما اجازهٔ این کار را ندارید. این کار به مجوز «{ $permission }» نیاز دارد.
SERVICE_UNAVAILABLE = سرویس اکنون در دسترس نیست. لطفاً کمی بعد دوباره بکوشید.
INTERNAL = خطایی از سوی ما رخ داد. اگر ادامه داشت، شناسهٔ درخواست { $requestId } را به پشتیبانی بدهید.
EVENT_POSITION_EXPIRED = رویدادهای آن زمان دیگر نگه‌داری نمی‌شوند. همه چیز را دوباره بخوانید و بدون موقعیت مشترک شوید.
EVENT_POSITION_UNKNOWN = این موقعیتِ هیچ رویدادی نیست که رخ داده باشد.
INVALID_ID = «{ $value }» شناسهٔ { $expected } نیست.

# درخواست‌هایی که پیش از اجرا پذیرفته نمی‌شوند. برای هر دلیل یک پیام؛ نام مقدارها در api/src/http/reason.rs آمده است.

batch = درخواست‌های دسته‌ای پذیرفته نمی‌شوند: در هر درخواست یک عملیات بفرستید.
body-broke-off = بدنهٔ درخواست ناتمام رسید.
body-malformed = بدنهٔ درخواست یک درخواست GraphQL به شکل JSON نیست: { $error }
body-too-large = بدنهٔ درخواست از { $max } بایت بزرگ‌تر است.
credential-invalid = ورود شما معتبر نیست یا زمان آن گذشته است.
document-unparsable = سند GraphQL خوانده نمی‌شود: { $error }
file-missing = پروندهٔ «{ $file }» که در «map» آمده، فرستاده نشده است.
file-unknown = پرونده‌ای در «map» نیامده یا دو بار فرستاده شده است.
form-malformed = بدنهٔ چندبخشی خوانده نمی‌شود: { $error }
form-too-large = درخواست یا همهٔ پرونده‌های آن با هم بیش از اندازه بزرگ است.
map-malformed = «map» باید برای هر پرونده فهرستی با دقیقاً یک مسیر داشته باشد: { $error }
map-path-unknown = مسیر «{ $path }» در «map» به هیچ جای «operations» نمی‌رسد.
method-not-allowed = این نشانی فقط { $allow } را می‌پذیرد.
mutation-not-allowed = تغییر (mutation) باید با { $allow } فرستاده شود.
not-acceptable = یکی از این‌ها را در Accept بپذیرید: application/graphql-response+json، application/json یا text/event-stream.
not-json = داده را به شکل application/json یا، همراه پرونده، به شکل multipart/form-data بفرستید.
not-utf8 = نویسه‌بندی باید UTF-8 باشد.
nothing-here = در این نشانی چیزی نیست.
origin-not-allowed = این مبدأ اجازه ندارد با مشخصات ورود از API استفاده کند.
parameter-malformed = پارامتر «{ $name }» یک شیء JSON نیست: { $error }
parts-out-of-order = بخش‌ها باید به این ترتیب باشند: «operations»، سپس «map»، سپس پرونده‌ها.
preflight-missing = درخواست چندبخشی به یکی از این سرآیندها با هر مقداری نیاز دارد: { $headers }.
query-missing = پارامتر «query» فرستاده نشده است.
query-string-malformed = رشتهٔ پرس‌وجوی نشانی خوانده نمی‌شود: { $error }
subscription-without-stream = اشتراک (subscription) به WebSocket یا سرآیند «Accept: text/event-stream» نیاز دارد.
timed-out = درخواست بیش از اندازه طول کشید و متوقف شد.
too-many-aliases = سند بیش از { $max } نام مستعار دارد.
too-many-connections = شمار اتصال‌های باز زیاد است. لطفاً کمی بعد دوباره بکوشید.
too-many-definitions = سند بیش از { $max } عملیات و قطعه (fragment) دارد.
too-many-directives = سند بیش از { $max } رهنمود (directive) دارد.
too-many-files = هر درخواست حداکثر { $max } پرونده می‌پذیرد.
too-many-levels = سند بیش از { $max } سطح پرانتز و آکولاد تودرتو دارد.
too-many-mutations = سند بیش از { $max } تغییر (mutation) دارد.
too-many-operations = روی هر اتصال حداکثر { $max } عملیات هم‌زمان اجرا می‌شود.
too-many-requests = شمار درخواست‌های در دست انجام زیاد است. لطفاً کمی بعد دوباره بکوشید.
too-many-streams = شمار جریان‌های باز زیاد است. لطفاً کمی بعد دوباره بکوشید.
too-many-tokens = سند بیش از { $max } نشانهٔ واژگانی (token) دارد.
too-many-uploads = شمار بارگذاری‌های در جریان زیاد است. لطفاً کمی بعد دوباره بکوشید.
unhandled = این درخواست را نمی‌توان انجام داد.
upload-by-nobody = برای بارگذاری پرونده وارد شوید.
upload-forbidden = شما اجازهٔ بارگذاری پرونده را ندارید.
websocket-handshake = این یک آغاز اتصال (handshake) درست WebSocket نیست.
websocket-protocol = پروتکل WebSocket باید graphql-transport-ws باشد.

"""With what an app is made, and where its logic lies then: in DEX files, or elsewhere."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple


class Framework(NamedTuple):
    """A framework or packer: files that give it away, where the logic lies, and what to do then."""

    name: str
    files: re.Pattern[str]
    advice: str


def _row(name: str, files: str, advice: str) -> Framework:
    return Framework(name, re.compile(rf"(?:^|/)(?:{files})$"), advice)


_PACKED: Final = (
    "the code that one sees is not the app's: it is unpacked while the app runs. Record what it says instead"
    " (packwire capture android)"
)
_SCRIPT: Final = "the logic is JavaScript, which was looked through"
_ROWS: Final = (
    _row(
        "Flutter",
        r"libflutter\.so|libapp\.so",
        "the logic is compiled into libapp.so: its texts were looked through, arrays of bytes were not. A"
        " recording of the app says more (packwire capture android)",
    ),
    _row("React Native", r"index\.android\.bundle|libreactnative(?:jni)?\.so", _SCRIPT),
    _row("Cordova", r"assets/www/cordova\.js|assets/www/index\.html|assets/public/cordova\.js", _SCRIPT),
    _row("Capacitor", r"assets/capacitor\.config\.json", _SCRIPT),
    _row("uni-app", r"assets/apps/__UNI__\w+/www/.*|assets/data/dcloud_\w+\.xml", _SCRIPT),
    _row(
        ".NET (Xamarin, MAUI)",
        r"assemblies\.blob|libassemblies\.[\w.-]+\.blob\.so|libmonosgen-2\.0\.so|libmonodroid\.so",
        "the logic is in .NET assemblies: only their texts were looked through, and packed ones hold none",
    ),
    _row(
        "Unity",
        r"libunity\.so|libil2cpp\.so",
        "the logic is compiled into libil2cpp.so: only the texts of its metadata were looked through",
    ),
    _row(
        "Qt",
        r"libQt[56]Core\w*\.so",
        "the logic is compiled into native libraries: only their texts were looked through",
    ),
    _row("packed by 360 Jiagu", r"libjiagu\w*\.so", _PACKED),
    _row("packed by Tencent Legu", r"libshell[ax]?[\w.-]*\.so|libtup\.so|tosversion", _PACKED),
    _row(
        "packed by Bangcle (SecNeo)", r"libDexHelper[\w-]*\.so|libSecShell[\w-]*\.so|libsecexe\.so", _PACKED
    ),
    _row("packed by ijiami", r"libexecmain\.so|libexec\.so|ijiami\.(?:ajm|dat)", _PACKED),
    _row("packed by Baidu", r"libbaiduprotect\w*\.so", _PACKED),
    _row("packed by NetEase", r"libnesec\.so", _PACKED),
    _row("packed by Alibaba", r"libmobisec\w*\.so|libsgmain\.so", _PACKED),
)
_OF_HERMES: Final = Framework(
    "Hermes",
    re.compile(""),
    "the JavaScript is compiled for the Hermes engine: its texts and lists of numbers were looked through,"
    " its code was not; decompilers for it exist",
)


def frameworks(names: Iterable[str], *, hermes: bool) -> Iterator[Framework]:
    """Yield what the names of a package's files give away."""
    names = list(names)
    for row in _ROWS:
        if any(row.files.search(name) for name in names):
            yield row
    if hermes:
        yield _OF_HERMES


#: Classes that come with the tools and libraries of most apps, and speak to no battery.
LIBRARIES: Final = (
    "Landroid/", "Landroidx/", "Lcom/google/", "Lkotlin/", "Lkotlinx/", "Ljava/", "Ljavax/", "Lj$/",
    "Lokhttp3/", "Lokio/", "Lretrofit2/", "Lcom/squareup/", "Lio/reactivex/", "Lrx/", "Lorg/reactivestreams/",
    "Lcom/facebook/", "Lcom/bumptech/", "Lorg/apache/", "Lorg/json/", "Lorg/intellij/", "Lorg/jetbrains/",
    "Ldagger/", "Lbutterknife/", "Lcom/airbnb/", "Lcom/github/mikephil/", "Lcom/tencent/", "Lcom/alibaba/",
    "Lcom/baidu/", "Lcom/amap/", "Lcom/alipay/", "Lcom/umeng/", "Lio/flutter/embedding/",
    "Lio/flutter/plugin/",
    "Lcom/amazonaws/", "Lorg/bouncycastle/", "Lorg/greenrobot/", "Lio/netty/", "Lmono/", "Landroid_support/",
    "Lcom/huawei/", "Lcom/xiaomi/", "Lcom/bytedance/", "Lorg/slf4j/", "Lcom/fasterxml/", "Lio/dcloud/",
)  # fmt: skip
